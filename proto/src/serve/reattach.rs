//! What a person needs to make Terraform use a provider that runs already.
//!
//! Source: hashicorp/terraform, `internal/command/meta_providers.go` (`parseReattachProviders`).

use serde_json::json;

use super::socket::Listener;

/// The lines to print: what to set in the shell that runs Terraform.
pub(super) fn instructions(address: &str, listener: &Listener) -> String {
    let (network, place) = listener.address();
    let plugin = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": std::process::id(),
        // Terraform then neither ends nor kills us.
        "Test": true,
        "Addr": { "Network": network, "String": place },
    });
    let value = json!({ address: plugin }).to_string();
    format!("{}\n\n{}\n", ANNOUNCEMENT, assignment(&value))
}

const ANNOUNCEMENT: &str =
    "The provider serves until Ctrl-C. Terraform and OpenTofu use it where this is set:";

#[cfg(not(windows))]
fn assignment(value: &str) -> String {
    format!("\texport TF_REATTACH_PROVIDERS='{}'", value.replace('\'', r"'\''"))
}

#[cfg(windows)]
fn assignment(value: &str) -> String {
    format!("\t$env:TF_REATTACH_PROVIDERS='{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_shell_can_take_the_line() {
        let listener = Listener::bind_tcp(&super::super::Environment::default()).unwrap();
        let text = instructions("example.com/it/isn't", &listener);
        let line = text.lines().find(|line| line.contains("TF_REATTACH_PROVIDERS")).unwrap();
        assert!(line.contains(r"it/isn'\''t") || cfg!(windows), "{line}");
        assert!(line.contains(r#""ProtocolVersion":6"#) && line.contains("127.0.0.1:"), "{line}");
    }
}
