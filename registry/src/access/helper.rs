use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use http::HeaderValue;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::{Proof, basic};
use crate::{
    error::{ErrorKind, quoted},
    flights::Lived,
    names::Host,
    secret::Secret,
    settings::Login,
};

/// The programs that keep docker's logins: `docker-credential-NAME get` is told a host on its standard input, and
/// answers with user and secret on its standard output.
///
/// Source: docker-credential-helpers, `credentials/credentials.go`.
pub(super) struct Helpers {
    /// The folders where they are, as `PATH` has them; without it none is run.
    search_path: Option<OsString>,
    limit: Duration,
    answers: Lived<(String, Host), Answer>,
}

/// What came of asking a helper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Has(Proof),
    HasNone,
    /// There is no such program.
    NotInstalled,
}

/// For how long an answer is good: a helper does not tell.
const LIFE: Duration = Duration::from_mins(5);
/// More than any login has.
const MAX_OUTPUT: u64 = 64 * 1024;
/// How helpers say, in words and by their exit code, that they have no login for a host.
const NOT_FOUND: &str = "credentials not found";

impl Helpers {
    pub(super) fn new(search_path: Option<OsString>, limit: Duration) -> Self {
        Self { search_path, limit, answers: Lived::new(256) }
    }

    /// Where the helper of this name is; `None` if it is not installed.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let is_plain =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let file = format!("{}{}", program(name), std::env::consts::EXE_SUFFIX);
        let folders = self.search_path.as_ref().filter(|_| is_plain)?;
        std::env::split_paths(folders).map(|folder| folder.join(&file)).find(|path| path.is_file())
    }

    /// What the helper of this name has for the host.
    pub(super) async fn ask(&self, name: &str, host: &Host) -> Result<Answer, ErrorKind> {
        let make = async || {
            let Some(path) = self.find(name) else { return Ok((Answer::NotInstalled, LIFE)) };
            let output = tokio::time::timeout(self.limit, run(&path, &server(host))).await;
            let text = format!("nothing within {} seconds", self.limit.as_secs());
            let output = output.unwrap_or_else(|_| Err(std::io::Error::other(text)));
            let answer = output.map_err(|error| error.to_string()).and_then(|output| read(&output));
            let error = |message| ErrorKind::CredentialHelper { program: program(name), message };
            Ok((answer.map_err(error)?, LIFE))
        };
        self.answers.get((name.to_owned(), host.clone()), make).await
    }

    /// Forgets the answer if it is the one that was sent.
    pub(super) async fn forget(&self, name: &str, host: &Host, sent: Option<&HeaderValue>) {
        let is_it = |answer: &Answer| match answer {
            Answer::Has(Proof::Login(login)) => basic(login).as_ref() == sent,
            Answer::Has(Proof::Identity(_)) => true,
            Answer::HasNone | Answer::NotInstalled => false,
        };
        self.answers.forget((name.to_owned(), host.clone()), is_it).await;
    }
}

pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// What a host is called there.
fn server(host: &Host) -> String {
    if host.is_docker_hub() { "https://index.docker.io/v1/".to_owned() } else { host.to_string() }
}

/// Runs the helper; it ends with this future.
async fn run(path: &Path, server: &str) -> std::io::Result<Output> {
    let mut command = Command::new(path);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut process = command.spawn()?;
    let (input, output) = (process.stdin.take(), process.stdout.take());
    if let Some(mut input) = input {
        // A helper that does not read what it is told may still answer.
        _ = input.write_all(format!("{server}\n").as_bytes()).await;
    }
    let mut stdout = Vec::new();
    if let Some(output) = output {
        output.take(MAX_OUTPUT + 1).read_to_end(&mut stdout).await?;
    }
    if stdout.len() as u64 > MAX_OUTPUT {
        return Err(std::io::Error::other(format!("more than {MAX_OUTPUT} bytes")));
    }
    Ok(Output { status: process.wait().await?, stdout, stderr: Vec::new() })
}

fn read(output: &Output) -> Result<Answer, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Json {
        username: String,
        secret: Secret,
    }
    if !output.status.success() {
        let text = quoted(&String::from_utf8_lossy(&output.stdout));
        return if text.contains(NOT_FOUND) {
            Ok(Answer::HasNone)
        } else {
            Err(format!("{}: {text}", output.status))
        };
    }
    // What does not fit is not shown: it may hold the secret.
    let answer: Json =
        serde_json::from_slice(&output.stdout).map_err(|_| "its answer is not a login in JSON".to_owned())?;
    Ok(Answer::Has(match answer.username.as_str() {
        "<token>" => Proof::Identity(answer.secret),
        _ => Proof::Login(Login { user: answer.username, password: answer.secret }),
    }))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// What a helper that is this shell script gives for a host.
    async fn answer(script: &str, host: &str, limit: Duration) -> Result<Answer, String> {
        let folder = tempfile::tempdir().unwrap();
        let (text, path) = (folder.path().join("text"), folder.path().join("docker-credential-test"));
        std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        // Not written by this process: what another test starts would hold it open for writing, and it could not run.
        let installed = std::process::Command::new("install").arg("-m700").args([&text, &path]).status();
        assert!(installed.unwrap().success());
        let helpers = Helpers::new(Some(folder.path().into()), limit);
        helpers.ask("test", &host.parse().unwrap()).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn answers() {
        let check = async |script: &str, host: &str, expected: Result<Answer, &str>| {
            let got = answer(script, host, Duration::from_mins(1)).await;
            assert_eq!(
                got.as_ref().map_err(String::as_str),
                expected.as_ref().map_err(|text| *text),
                "{script}"
            );
        };
        let login = |user: &str, password: &str| {
            Ok(Answer::Has(Proof::Login(Login { user: user.to_owned(), password: Secret::new(password) })))
        };
        let says = r#"read host; test "$1" = get && echo "{\"ServerURL\":\"x\",\"Username\":\"ada\",\"Secret\":\"$host\"}""#;
        check(says, "ghcr.io", login("ada", "ghcr.io")).await;
        check(says, "docker.io", login("ada", "https://index.docker.io/v1/")).await;
        let token = r#"echo '{"Username":"<token>","Secret":"refresh"}'"#;
        check(token, "ghcr.io", Ok(Answer::Has(Proof::Identity(Secret::new("refresh"))))).await;
        check("echo credentials not found in native keychain; exit 1", "ghcr.io", Ok(Answer::HasNone)).await;
        let gives = "credential helper `docker-credential-test` gives no login: ";
        let broken = format!("{gives}exit status: 3: keychain is locked");
        check("echo keychain is locked; exit 3", "ghcr.io", Err(&broken)).await;
        let no_json = format!("{gives}its answer is not a login in JSON");
        check("echo hunter2", "ghcr.io", Err(&no_json)).await;
        let endless = format!("{gives}more than 65536 bytes");
        check("exec cat /dev/zero", "ghcr.io", Err(&endless)).await;
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended() {
        let error = answer("exec sleep 1000", "ghcr.io", Duration::from_millis(20)).await.unwrap_err();
        assert!(error.ends_with("gives no login: nothing within 0 seconds"), "{error}");
    }

    #[test]
    fn only_plain_names_are_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docker-credential-")).unwrap();
        std::fs::write(folder.path().join("docker-credential-a"), "").unwrap();
        let helpers = Helpers::new(Some(folder.path().into()), LIFE);
        assert!(helpers.find("a").is_some());
        for name in ["", "b", "../a", "/bin/sh", "a b", "/../docker-credential-a"] {
            assert_eq!(helpers.find(name), None, "{name}");
        }
        assert_eq!(Helpers::new(None, LIFE).find("a"), None);
    }
}
