//! The programs that the tests run beside ours, each pinned and kept in the cache: what they are and where they come from.
//!
//! Only package registries are used: Go's module proxy, `PyPI`, Debian. How each is installed is in [`go`] and [`python`].

pub mod go;
pub mod python;
pub mod terraform;

use std::path::PathBuf;

use anyhow::Result;

use self::go::{Module, Source};
use self::python::Venv;
use crate::cache::Cache;

/// The Kubernetes that the node runs, built from source.
pub const KUBERNETES: Module = Module {
    name: "kubernetes",
    version: "1.34.4",
    source: Source::Folder {
        folder: "tools/kubernetes",
        packages: &[
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-proxy",
            "k8s.io/kubernetes/cmd/kube-scheduler",
            "k8s.io/kubernetes/cmd/kubectl",
            "k8s.io/kubernetes/cmd/kubelet",
        ],
        // Without its version a kubelet is refused by version checks.
        flags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 \
                -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
    },
};
/// OpenTofu, whose HCL fork `go install` refuses: hence a module folder.
pub const OPENTOFU: Module = Module {
    name: "opentofu",
    version: "1.12.6",
    source: Source::Folder {
        folder: "tools/opentofu",
        packages: &["github.com/opentofu/opentofu/cmd/tofu"],
        flags: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
    },
};
/// The current line of Helm.
pub const HELM_4: Module =
    Module { name: "helm", version: "4.3.1", source: Source::Proxy { package: "helm.sh/helm/v4/cmd/helm" } };
/// The line of Helm that many still run.
pub const HELM_3: Module =
    Module { name: "helm", version: "3.22.0", source: Source::Proxy { package: "helm.sh/helm/v3/cmd/helm" } };
/// A peer of our `token` command.
pub const AWS_IAM_AUTHENTICATOR: Module = Module {
    name: "aws-iam-authenticator",
    version: "0.6.13",
    source: Source::Proxy { package: "sigs.k8s.io/aws-iam-authenticator/cmd/aws-iam-authenticator" },
};
/// What virtual machines log in to ECR with.
pub const ECR_LOGIN: Module = Module {
    name: "amazon-ecr-credential-helper",
    version: "0.10.1",
    source: Source::Proxy {
        package: "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login",
    },
};
/// Reads and writes registries, to check ours by another hand.
pub const CRANE: Module = Module {
    name: "crane",
    version: "0.22.1",
    source: Source::Proxy { package: "github.com/google/go-containerregistry/cmd/crane" },
};
/// Builds images, and pushes them; a peer of our client.
pub const BUILDKIT: Module = Module {
    name: "buildkit",
    version: "0.34.2",
    source: Source::Folder {
        folder: "tools/buildkit",
        packages: &["github.com/moby/buildkit/cmd/buildctl", "github.com/moby/buildkit/cmd/buildkitd"],
        flags: "-s -w -X github.com/moby/buildkit/version.Version=v0.34.2",
    },
};
/// Gives buildkitd a user namespace, where it is not root.
pub const ROOTLESSKIT: Module = Module {
    name: "rootlesskit",
    version: "2.3.6",
    source: Source::Proxy { package: "github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit" },
};
/// Generates and checks the documentation of a provider.
pub const TFPLUGINDOCS: Module = Module {
    name: "tfplugindocs",
    version: "0.25.0",
    source: Source::Proxy { package: "github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs" },
};
/// `helm_release`. Later versions are not in the module proxy; this one needs a dead host's module from elsewhere.
pub const HELM_PROVIDER: Module = Module {
    name: "terraform-provider-helm",
    version: "1.3.2",
    source: Source::Folder {
        folder: "tools/terraform-provider-helm",
        packages: &["github.com/hashicorp/terraform-provider-helm"],
        flags: "-s -w",
    },
};
/// Certificates. Releases are not in the module proxy; this is what became 4.0.5, by a name that the proxy has.
pub const TLS_PROVIDER: Module = Module {
    name: "terraform-provider-tls",
    version: "4.0.4",
    source: Source::Folder {
        folder: "tools/terraform-provider-tls",
        packages: &["github.com/hashicorp/terraform-provider-tls"],
        flags: "-s -w",
    },
};
/// A small provider in Go, for ours to be measured beside. It is named for the library that it is written with.
pub const FRAMEWORK_PROVIDER: Module = Module {
    name: "terraform-plugin-framework",
    version: "1.19.0",
    source: Source::Folder { folder: "peers/framework-provider", packages: &["."], flags: "-s -w" },
};
/// The least that it takes to know the content of a folder, for ours to be measured beside.
pub const WALK_AND_HASH: Module = Module {
    name: "walk-and-hash",
    version: "1",
    source: Source::Folder { folder: "peers/walk-and-hash", packages: &["."], flags: "-s -w" },
};
/// kreuzwerker/docker, a peer of ours: what became version 4.6, by the name that its module file gives it.
pub const DOCKER_PROVIDER: Module = Module {
    name: "terraform-provider-docker",
    version: "4.6.0-96d331c98ff4",
    source: Source::Folder {
        folder: "peers/docker-provider",
        packages: &["github.com/terraform-providers/terraform-provider-docker"],
        flags: "-s -w",
    },
};

/// AWS's stand-in. Without `docker` a cluster would say ACTIVE and have no container.
pub const MINISTACK: Venv = Venv {
    name: "ministack",
    version: "1.5.33",
    requirements: &["ministack==1.5.33", "docker==7.1.0", "cryptography==48.0.0"],
};
/// AWS's own command, as a peer and to check by another hand; apart from MiniStack, whose botocore differs.
pub const AWS_CLI: Venv = Venv { name: "awscli", version: "1.46.3", requirements: &["awscli==1.46.3"] };

/// A program a test can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Tool {
    /// Terraform, which is never installed: its licence and its home leave that to the user.
    Terraform,
    /// OpenTofu 1.12.
    OpenTofu,
    /// Helm 4.
    Helm4,
    /// Helm 3.
    Helm3,
    /// kubectl of the node's version.
    Kubectl,
    /// `aws`.
    Aws,
    /// `aws-iam-authenticator`.
    AwsIamAuthenticator,
    /// `crane`.
    Crane,
    /// `tfplugindocs`.
    Tfplugindocs,
}

impl Tool {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::Aws,
        Self::AwsIamAuthenticator,
        Self::Crane,
        Self::Helm3,
        Self::Helm4,
        Self::Kubectl,
        Self::OpenTofu,
        Self::Terraform,
        Self::Tfplugindocs,
    ];

    /// What its authors call it, and which line of it where there are two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "opentofu",
            Self::Helm4 => "helm 4",
            Self::Helm3 => "helm 3",
            Self::Kubectl => "kubectl",
            Self::Aws => "aws",
            Self::AwsIamAuthenticator => "aws-iam-authenticator",
            Self::Crane => "crane",
            Self::Tfplugindocs => "tfplugindocs",
        }
    }

    /// The program's file, if it is installed.
    pub fn installed(self, cache: &Cache) -> Option<PathBuf> {
        let file = match self {
            Self::Terraform => return terraform::find(),
            Self::OpenTofu => OPENTOFU.path(cache, "tofu"),
            Self::Helm4 => HELM_4.path(cache, "helm"),
            Self::Helm3 => HELM_3.path(cache, "helm"),
            Self::Kubectl => KUBERNETES.path(cache, "kubectl"),
            Self::Aws => AWS_CLI.path(cache, "aws"),
            Self::AwsIamAuthenticator => AWS_IAM_AUTHENTICATOR.path(cache, "aws-iam-authenticator"),
            Self::Crane => CRANE.path(cache, "crane"),
            Self::Tfplugindocs => TFPLUGINDOCS.path(cache, "tfplugindocs"),
        };
        file.is_file().then_some(file)
    }

    /// The program's file, after installing it if need be.
    ///
    /// # Errors
    /// When it cannot be had here; for Terraform, with the place to get it from.
    pub fn install(self, cache: &Cache) -> Result<PathBuf> {
        match self {
            Self::Terraform => terraform::require(),
            Self::OpenTofu => OPENTOFU.install(cache, "tofu"),
            Self::Helm4 => HELM_4.install(cache, "helm"),
            Self::Helm3 => HELM_3.install(cache, "helm"),
            Self::Kubectl => KUBERNETES.install(cache, "kubectl"),
            Self::Aws => AWS_CLI.install(cache, "aws"),
            Self::AwsIamAuthenticator => AWS_IAM_AUTHENTICATOR.install(cache, "aws-iam-authenticator"),
            Self::Crane => CRANE.install(cache, "crane"),
            Self::Tfplugindocs => TFPLUGINDOCS.install(cache, "tfplugindocs"),
        }
    }
}
