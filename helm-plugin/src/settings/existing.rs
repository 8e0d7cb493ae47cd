//! What verbs about a release that is there were told: which one, where.

use ecr_registry::Endpoints;

use super::{OWN_CLUSTER_FLAGS, SettingsError, Surroundings, endpoints, file::File, place::Place};
use crate::{
    cli::ExistingArguments,
    failure::Failure,
    kube::ActAs,
    namespace::{self, Namespace, flag_value},
};

/// Which release, and where.
#[derive(Debug)]
pub(crate) struct ExistingSettings {
    /// The release's name.
    pub(crate) release: String,
    /// Where it is.
    pub(crate) namespace: Namespace,
    /// Which cluster, and who acts there.
    pub(crate) place: Place,
    /// Whom to act as in the cluster.
    pub(crate) act_as: ActAs,
    /// Registries that are reached elsewhere.
    pub(crate) endpoints: Endpoints,
    /// Whether a person looks at what we say.
    pub(crate) attended: bool,
}

impl ExistingSettings {
    /// Puts everything together.
    pub(crate) fn resolve(
        arguments: ExistingArguments,
        file: File,
        around: Surroundings,
    ) -> Result<Self, Failure> {
        let leads_elsewhere = |flag: &&&str| flag_value(&around.outer, flag, None).is_some();
        if let Some(flag) = OWN_CLUSTER_FLAGS.iter().find(leads_elsewhere) {
            return Err(SettingsError::OuterFlag(flag).into());
        }
        let namespace = namespace::Sources {
            flag: arguments.namespace,
            outer_flag: flag_value(&around.outer, "--namespace", Some("-n")),
            environment: around.namespace,
            file: file.release.namespace,
            assumed: around.helm_namespace,
        };
        Ok(Self {
            release: arguments.release.or(file.release.name).ok_or(SettingsError::NO_RELEASE)?,
            namespace: namespace.choose(around.attended)?,
            place: Place::resolve(arguments.place, file.cluster, file.outputs, around.aws_region)?,
            act_as: around.act_as,
            endpoints: endpoints(&file.registry_endpoints, around.registry_endpoints.as_deref())?,
            attended: around.attended,
        })
    }
}
