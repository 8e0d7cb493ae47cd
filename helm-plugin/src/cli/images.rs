//! What `images` takes.

use clap::Subcommand;

use super::{Output, UpArguments};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy images list api ./charts/api -n shop --cluster prod --region eu-west-1 -f prod.yaml
  eks-deploy images list api ./charts/api -n shop --cluster prod -o json | jq -r '.[].image'
  eks-deploy images lock api ./charts/api -n shop --cluster prod --lock images.lock
  eks-deploy up api ./charts/api -n shop --cluster prod --lock images.lock --locked
  eks-deploy images verify api ./charts/api -n shop --cluster prod --lock images.lock --locked

Exit code 3 means that an image is not pinned, or is gone.
Environment: as `up`.";

/// What to tell of images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesVerb {
    /// Lists what `up` would run, pinned as it would pin it; nothing is changed.
    #[command(override_usage = "eks-deploy images list RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = EXAMPLES)]
    List {
        /// The release, as `up` takes it.
        #[command(flatten)]
        release: Box<UpArguments>,
        /// The form of the list.
        #[arg(long, short, default_value = "text")]
        output: Output,
    },
    /// Writes the digests that images have now into the file that --lock names, for `up --lock FILE --locked`.
    #[command(override_usage = "eks-deploy images lock RELEASE CHART --lock FILE [FLAGS] [HELM'S FLAGS]", after_help = EXAMPLES)]
    Lock {
        /// The release, as `up` takes it.
        #[command(flatten)]
        release: Box<UpArguments>,
    },
    /// Looks whether `up` would run every image by digest, and whether the registries still have them.
    ///
    /// Also those that the chart names by digest itself. What cannot be looked for, since its registry does not let us
    /// or does not answer, is a warning.
    #[command(override_usage = "eks-deploy images verify RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = EXAMPLES)]
    Verify {
        /// The release, as `up` takes it.
        #[command(flatten)]
        release: Box<UpArguments>,
    },
}
