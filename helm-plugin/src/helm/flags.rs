//! The flags of `helm upgrade` that `up` takes, of every Helm line that we work with.
//!
//! A table of our own, so that a mistyped flag is an error before anything happens, and so that one command line
//! works with Helm 3 and with Helm 4. A test compares it with what the real binaries say.

use super::binary::Version;

/// One flag of Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag {
    /// The long name, as people type it in any line of Helm.
    pub(crate) name: &'static str,
    /// The one-letter form.
    pub(crate) short: Option<char>,
    /// Whether a value follows.
    pub(crate) takes: Takes,
    /// What we do with it.
    pub(crate) role: Role,
    /// The Helm lines that know it.
    pub(crate) lines: Lines,
    /// What it does, for `--help`.
    pub(crate) help: &'static str,
}

/// Whether a flag has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// On or off; `=true` and `=false` are possible.
    Switch,
    /// `--flag VALUE`.
    Value,
    /// `--flag` or `--flag=VALUE`, the first meaning this value.
    Optional(&'static str),
}

/// What we do with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Given to every run of Helm as it is.
    Pass,
    /// Says values: given to the first dry run only, whose merged values the later runs get on stdin.
    Values,
    /// Says which version of a remote chart: later runs get the one that the first dry run found.
    ChartVersion,
    /// Changes the chart's folder: given to the first dry run only, later runs see its result.
    ChartUpdate,
    /// How to wait, in words that differ between Helm lines.
    Wait,
    /// Taken, and without effect: `up` does this anyway, or it concerns dry runs.
    Ignored,
    /// Refused, for this reason.
    Refused(&'static str),
}

/// Which lines of Helm know a flag, and under what name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// All that we work with.
    All,
    /// From this version on.
    Since(u64, u64),
    /// Up to the end of Helm 3.
    Until4,
    /// Helm 3 and Helm 4 have different names for it.
    Renamed {
        /// In Helm 3.
        helm3: &'static str,
        /// In Helm 4.
        helm4: &'static str,
    },
}

impl Flag {
    /// The name that this Helm has for the flag, if it has it.
    pub(crate) fn name_in(&self, helm: &Version) -> Option<&'static str> {
        match self.lines {
            Lines::All => Some(self.name),
            Lines::Since(major, minor) => ((helm.major, helm.minor) >= (major, minor)).then_some(self.name),
            Lines::Until4 => (helm.major < 4).then_some(self.name),
            Lines::Renamed { helm3, helm4 } => Some(if helm.major < 4 { helm3 } else { helm4 }),
        }
    }
}

const OWN_CLUSTER: &str = "the cluster is named by --cluster; Helm gets a private kubeconfig for it";

const ROLLBACK: Lines = Lines::Renamed { helm3: "atomic", helm4: "rollback-on-failure" };
const FORCE: Lines = Lines::Renamed { helm3: "force", helm4: "force-replace" };

/// Every flag of `helm upgrade`, sorted by name. `--namespace` and `--output` are `up`'s own.
pub(crate) const FLAGS: &[Flag] = &[
    switch("atomic", ROLLBACK, "roll back on failure (Helm 3's name)"),
    value("burst-limit", Lines::All, "client-side throttling limit"),
    value("ca-file", Lines::All, "verify the chart repository with this CA bundle"),
    value("cert-file", Lines::All, "identify to the chart repository with this certificate"),
    switch("cleanup-on-fail", Lines::All, "delete new resources when the upgrade fails"),
    value("color", Lines::Since(4, 0), "coloured output of Helm: never, auto, always"),
    value("colour", Lines::Since(4, 0), "coloured output of Helm: never, auto, always"),
    value("content-cache", Lines::Since(4, 0), "folder of Helm's content cache"),
    switch("create-namespace", Lines::All, "create the namespace if it is absent"),
    switch("debug", Lines::All, "verbose output of Helm"),
    with_role(
        switch("dependency-update", Lines::All, "update missing chart dependencies first"),
        Role::ChartUpdate,
    ),
    value("description", Lines::All, "a description of this revision"),
    switch("devel", Lines::All, "take development versions of the chart too"),
    switch("disable-openapi-validation", Lines::All, "do not validate against the OpenAPI schema"),
    with_role(
        Flag { takes: Takes::Optional("client"), ..switch("dry-run", Lines::All, "refused: `up` deploys") },
        Role::Refused("`up` deploys; to look first: helm upgrade --install --dry-run=server"),
    ),
    switch("enable-dns", Lines::All, "allow DNS look-ups in templates"),
    switch("force", FORCE, "replace resources (Helm 3's name)"),
    switch("force-conflicts", Lines::Since(4, 0), "server-side apply overrides conflicts"),
    switch("force-replace", FORCE, "replace resources"),
    switch("hide-notes", Lines::All, "do not print the chart's notes"),
    with_role(switch("hide-secret", Lines::All, "no effect: concerns dry runs"), Role::Ignored),
    value("history-max", Lines::All, "revisions kept per release"),
    switch("insecure-skip-tls-verify", Lines::All, "no TLS checks for the chart download"),
    with_role(
        short('i', switch("install", Lines::All, "no effect: `up` installs what is absent")),
        Role::Ignored,
    ),
    value("key-file", Lines::All, "identify to the chart repository with this key"),
    value("keyring", Lines::All, "public keys for --verify"),
    with_role(value("kube-apiserver", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    value("kube-as-group", Lines::All, "group to impersonate in the cluster"),
    value("kube-as-user", Lines::All, "user to impersonate in the cluster"),
    with_role(value("kube-ca-file", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    with_role(value("kube-context", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    with_role(switch("kube-insecure-skip-tls-verify", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    with_role(value("kube-tls-server-name", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    with_role(value("kube-token", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    with_role(value("kubeconfig", Lines::All, "refused"), Role::Refused(OWN_CLUSTER)),
    short('l', value("labels", Lines::All, "labels of the release")),
    switch("no-hooks", Lines::All, "run no hooks"),
    switch("pass-credentials", Lines::All, "pass credentials to all domains"),
    value("password", Lines::All, "password for the chart repository"),
    switch("plain-http", Lines::All, "plain HTTP for the chart download"),
    value("post-renderer", Lines::All, "your post-renderer: a program (Helm 3), a plugin (Helm 4)"),
    value("post-renderer-args", Lines::All, "an argument for it"),
    value("qps", Lines::All, "queries per second to the Kubernetes API"),
    switch("recreate-pods", Lines::Until4, "restart pods (deprecated in Helm 3)"),
    value("registry-config", Lines::All, "Helm's registry configuration file"),
    switch("render-subchart-notes", Lines::All, "print the notes of subcharts too"),
    value("repo", Lines::All, "URL of the chart repository"),
    value("repository-cache", Lines::All, "folder of cached repository indexes"),
    value("repository-config", Lines::All, "Helm's repositories file"),
    with_role(
        switch(
            "reset-then-reuse-values",
            Lines::All,
            "chart's values, then the last release's, then given ones",
        ),
        Role::Values,
    ),
    with_role(switch("reset-values", Lines::All, "only the chart's values and given ones"), Role::Values),
    with_role(switch("reuse-values", Lines::All, "the last release's values and given ones"), Role::Values),
    switch("rollback-on-failure", ROLLBACK, "roll back on failure"),
    value("server-side", Lines::Since(4, 0), "server-side apply: true, false, auto"),
    with_role(value("set", Lines::All, "set a value"), Role::Values),
    with_role(value("set-file", Lines::All, "set a value from a file"), Role::Values),
    with_role(value("set-json", Lines::All, "set a value as JSON"), Role::Values),
    with_role(value("set-literal", Lines::All, "set a value as literal text"), Role::Values),
    with_role(value("set-string", Lines::All, "set a value as text"), Role::Values),
    switch("skip-crds", Lines::All, "install no CRDs"),
    switch("skip-schema-validation", Lines::All, "do not check values against the chart's schema"),
    switch("take-ownership", Lines::All, "adopt resources of others"),
    value("timeout", Lines::All, "time for each Kubernetes operation (Helm's default: 5m0s)"),
    value("username", Lines::All, "user for the chart repository"),
    with_role(short('f', value("values", Lines::All, "values file or URL; `-` is stdin")), Role::Values),
    switch("verify", Lines::All, "verify the chart's signature"),
    with_role(value("version", Lines::All, "version constraint for the chart"), Role::ChartVersion),
    with_role(
        Flag {
            takes: Takes::Optional("auto"),
            ..switch("wait", Lines::All, "how to wait: auto (default), watcher, legacy, none")
        },
        Role::Wait,
    ),
    switch("wait-for-jobs", Lines::All, "wait for Jobs too"),
];

const fn switch(name: &'static str, lines: Lines, help: &'static str) -> Flag {
    Flag { name, short: None, takes: Takes::Switch, role: Role::Pass, lines, help }
}

const fn value(name: &'static str, lines: Lines, help: &'static str) -> Flag {
    Flag { name, short: None, takes: Takes::Value, role: Role::Pass, lines, help }
}

const fn with_role(flag: Flag, role: Role) -> Flag {
    Flag { role, ..flag }
}

const fn short(letter: char, flag: Flag) -> Flag {
    Flag { short: Some(letter), ..flag }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn table_is_sorted_and_without_doubles() {
        assert!(FLAGS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    /// The flags that a binary lists, with whether each takes a value.
    fn listed(help: &str) -> BTreeSet<(String, bool)> {
        let lines = help.lines().filter_map(|line| line.get(..6).zip(line.get(6..)));
        lines
            .filter(|(margin, rest)| {
                margin.trim_matches([' ', ',', '-']).len() <= 1 && rest.starts_with("--")
            })
            .filter_map(|(_, rest)| {
                let mut words = rest[2..].split("  ").next()?.split(' ');
                Some((words.next()?.to_owned(), words.next().is_some()))
            })
            .filter(|(name, _)| !["help", "namespace", "output"].contains(&name.as_str()))
            .collect()
    }

    fn known(helm: &Version) -> BTreeSet<(String, bool)> {
        let takes_value = |flag: &Flag, name: &str| match flag.takes {
            Takes::Switch => false,
            Takes::Value => true,
            // Helm 3's `--wait` is a switch.
            Takes::Optional(_) => name != "wait" || helm.major >= 4,
        };
        FLAGS
            .iter()
            .filter(|flag| flag.name != "recreate-pods") // hidden, since it is deprecated
            .filter_map(|flag| flag.name_in(helm).map(|name| (name.to_owned(), takes_value(flag, name))))
            .collect()
    }

    #[test]
    #[ignore = "needs Helm: EKS_DEPLOY_TEST_HELMS=PATH[:PATH]"]
    fn rule_18_table_agrees_with_the_binaries() {
        let helms =
            std::env::var_os("EKS_DEPLOY_TEST_HELMS").expect("EKS_DEPLOY_TEST_HELMS names the binaries");
        for helm in std::env::split_paths(&helms) {
            let run = |arguments: &[&str]| {
                let output = std::process::Command::new(&helm).args(arguments).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            let version = Version::parse(&run(&["version", "--template", "{{.Version}}"])).unwrap();
            assert_eq!(listed(&run(&["upgrade", "--help"])), known(&version), "{}", helm.display());
        }
    }
}
