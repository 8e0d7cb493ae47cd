//! A kubeconfig: one cluster, one user whose token this binary makes.
//!
//! Pure: the object only. Written as JSON, since JSON is YAML and needs no quoting rules of our own.

use std::path::Path;

use serde_json::{Value, json};

use super::{cluster::Cluster, identity::Identity};

/// What a kubeconfig calls its cluster, user and context, where its context leads, and who signs its tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The name of all three.
    pub(crate) name: &'a str,
    /// The context's namespace, if it has one.
    pub(crate) namespace: Option<&'a str>,
    /// The socket to ask for tokens, while the process behind it lives; without one each is made anew.
    pub(crate) socket: Option<&'a Path>,
}

/// The kubeconfig. `binary` is the absolute path of this program: a kubeconfig resolves a relative one
/// against its own folder.
pub(crate) fn kubeconfig(cluster: &Cluster, identity: &Identity, binary: &Path, entry: Entry<'_>) -> Value {
    let Entry { name, namespace, socket } = entry;
    let (flag, token_name) = cluster.token_name();
    let mut arguments = vec!["token", flag, token_name, "--region", &cluster.region];
    for (flag, value) in [("--profile", &identity.profile), ("--role-arn", &identity.role_arn)] {
        if let Some(value) = value {
            arguments.extend([flag, value]);
        }
    }
    let socket = socket.map(Path::to_string_lossy);
    if let Some(socket) = &socket {
        arguments.extend(["--from", socket]);
    }
    let mut context = json!({ "cluster": name, "user": name });
    if let Some(namespace) = namespace {
        context["namespace"] = namespace.into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{
            "name": name,
            "cluster": {
                "server": cluster.endpoint.to_string(),
                "tls-server-name": cluster.server_name,
                "certificate-authority-data": cluster.certificate_authority,
            },
        }],
        "contexts": [{
            "name": name,
            "context": context,
        }],
        "users": [{
            "name": name,
            "user": { "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": binary,
                "args": arguments,
                // Prompts belong to the process that the person started, not to a child of a child.
                "interactiveMode": "Never",
                "provideClusterInfo": false,
            }},
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: Option<&str>, identity: &Identity, socket: Option<&Path>, expected: &[&str]) {
        let cluster = Cluster {
            name: "prod".to_owned(),
            arn: Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned()),
            region: "eu-west-1".to_owned(),
            endpoint: "https://A.gr7.eu-west-1.eks.amazonaws.com".parse().unwrap(),
            server_name: Some("b.example".to_owned()),
            certificate_authority: "Q0E=".to_owned(),
            outpost_id: id.map(str::to_owned),
            authentication_mode: None,
        };
        let entry = Entry { name: "here", namespace: Some("shop"), socket };
        let config = kubeconfig(&cluster, identity, Path::new("/opt/eks deploy/eks-deploy"), entry);
        assert_eq!(config["current-context"], "here");
        let exec = &config["users"][0]["user"]["exec"];
        assert_eq!(exec["command"], "/opt/eks deploy/eks-deploy");
        assert_eq!(exec["interactiveMode"], "Never");
        assert_eq!(exec["args"], json!(expected));
        assert_eq!(config["contexts"][0]["context"]["namespace"], "shop");
        let entry = &config["clusters"][0]["cluster"];
        assert_eq!(entry["server"], "https://A.gr7.eu-west-1.eks.amazonaws.com");
        assert_eq!(
            (&entry["certificate-authority-data"], &entry["tls-server-name"]),
            (&json!("Q0E="), &json!("b.example"))
        );
    }

    #[test]
    fn exec_entry_names_the_source_of_credentials_not_the_keys() {
        let plain = Identity::default();
        check(None, &plain, None, &["token", "--cluster-name", "prod", "--region", "eu-west-1"]);
        check(Some("id"), &plain, None, &["token", "--cluster-id", "id", "--region", "eu-west-1"]);
        let role =
            Identity { profile: Some("dev".to_owned()), role_arn: Some("arn:aws:iam::1:role/x".to_owned()) };
        check(
            None,
            &role,
            Some(Path::new("/run/tokens")),
            &[
                "token",
                "--cluster-name",
                "prod",
                "--region",
                "eu-west-1",
                "--profile",
                "dev",
                "--role-arn",
                "arn:aws:iam::1:role/x",
                "--from",
                "/run/tokens",
            ],
        );
    }
}
