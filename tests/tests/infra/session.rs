//! Who a program runs as: keys, and for a role the token of its session.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lab::aws::{Aws, Keys, element};
use lab::lab::Lab;
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Session {
    keys: Keys,
    token: Option<String>,
}

impl Session {
    pub(crate) fn of(keys: Keys) -> Self {
        Self { keys, token: None }
    }

    /// A session of the role, begun by a pipeline's token with these claims. MiniStack reads its claims and checks no signature.
    pub(crate) fn by_web_identity(lab: &Lab, role: &str, claims: &Value) -> Result<Self, String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims));
        let parameters = [("RoleArn", role), ("RoleSessionName", "pipeline"), ("WebIdentityToken", &token)];
        // Through the front, which otherwise does not know whose session it is.
        let answer = Aws::at(lab.front(), Keys::root())
            .query("sts", "AssumeRoleWithWebIdentity", &parameters)
            .map_err(|error| format!("{error:#}"))?;
        let text = |name: &str| element(&answer, name).unwrap().to_owned();
        let keys = Keys { id: text("AccessKeyId"), secret: text("SecretAccessKey") };
        Ok(Self { keys, token: Some(text("SessionToken")) })
    }

    /// The program in the lab's world, as this caller.
    pub(crate) fn command(&self, lab: &Lab, program: &Path) -> Command {
        let mut command = lab.command(program, &self.keys);
        command.envs(self.token.iter().map(|token| ("AWS_SESSION_TOKEN", token)));
        command
    }
}
