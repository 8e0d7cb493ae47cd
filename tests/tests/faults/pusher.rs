//! A process that pushes and can be killed: this very program, told to by its environment.

use std::path::Path;
use std::process::Stdio;

use ecr_registry::Tree;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::world::{Door, Nerves, client, image, tag, told};

/// Where to push, the image's seed, and the folder for locks: `host address user password seed nerves folder`.
const VARIABLE: &str = "FAULT_PUSH";

/// A push by a process of its own, of the image of this seed.
pub(crate) struct Pusher(Child);

impl Pusher {
    pub(crate) fn start(door: &Door, seed: u64, nerves: Nerves, locks: &Path) -> Self {
        let Door { host, address, user, password } = door;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "pusher::push_what_the_environment_says", "--nocapture"]);
        command.env(
            VARIABLE,
            format!("{host} {address} {user} {password} {seed} {nerves:?} {}", locks.display()),
        );
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        Self(command.spawn().unwrap())
    }

    /// Ends it without any warning: SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.0.kill().await.unwrap();
    }

    /// What it has to say when it has ended: nothing, or what went wrong.
    pub(crate) async fn outcome(&mut self) -> Result<(), String> {
        let mut text = String::new();
        if let Some(errors) = self.0.stderr.as_mut() {
            errors.read_to_string(&mut text).await.unwrap();
        }
        if self.0.wait().await.unwrap().success() {
            return Ok(());
        }
        let error = text.lines().find_map(|line| line.strip_prefix("error: "));
        Err(error.map_or_else(|| text.clone(), str::to_owned))
    }
}

/// Nothing without the variable.
#[tokio::test]
async fn push_what_the_environment_says() {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let words = text.splitn(7, ' ').collect::<Vec<_>>();
    let [host, address, user, password, seed, nerves, locks] = words.try_into().unwrap();
    let (host, user, password) = (host.to_owned(), user.to_owned(), password.to_owned());
    let door = Door { host, address: address.parse().unwrap(), user, password };
    let tree = Tree::from(image(seed.parse().unwrap()));
    let client = client(&[&door], nerves.parse().unwrap(), Some(locks.into()));
    let pushed = client.push_tree(&door.repository(), &tree, &[tag()], &()).await;
    if let Err(error) = pushed {
        panic!("error: {}", told(&error));
    }
}
