//! "Not now": what a provider may answer while something it needs is still unknown.

use crate::wire::tfplugin6 as wire;

/// Why a resource, data source, ephemeral resource or action has to wait for a later run.
///
/// Only for clients that take it ([`ClientCapabilities::deferral_allowed`](crate::ClientCapabilities));
/// given to others, or where nothing is unknown, it becomes an error. Terraform sets the flag
/// while applying even if it was not set while planning, so the flag alone is no reason to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferral {
    /// Part of its own configuration is unknown.
    ResourceConfigUnknown,
    /// Part of the provider's configuration is unknown. The only reason an action may give.
    ProviderConfigUnknown,
    /// Something it needs does not exist yet.
    AbsentPrerequisite,
}

impl Deferral {
    pub(crate) fn to_wire(self) -> wire::Deferred {
        use wire::deferred::Reason;
        let reason = match self {
            Self::ResourceConfigUnknown => Reason::ResourceConfigUnknown,
            Self::ProviderConfigUnknown => Reason::ProviderConfigUnknown,
            Self::AbsentPrerequisite => Reason::AbsentPrereq,
        };
        wire::Deferred { reason: reason.into() }
    }
}
