//! Which deferrals reach the client. Terraform calls one it did not allow, or that comes as a surprise
//! while applying, a bug in the provider.

use super::Inner;
use crate::{ClientCapabilities, Deferral, Diagnostic, Diagnostics, Value, wire::tfplugin6 as wire};

impl Inner {
    /// A deferral that may be sent. `config` is what the object in question is configured with, where
    /// the call says so.
    pub(super) fn defer(
        &self,
        deferral: Option<Deferral>,
        client: ClientCapabilities,
        config: Option<&Value>,
    ) -> Result<Option<wire::Deferred>, Diagnostics> {
        let Some(deferral) = deferral else { return Ok(None) };
        if !client.deferral_allowed {
            return Err(not_taken(deferral).into());
        }
        let groundless = match deferral {
            Deferral::ResourceConfigUnknown => config.is_some_and(Value::is_wholly_known),
            Deferral::ProviderConfigUnknown => !self.waits(),
            Deferral::AbsentPrerequisite => false,
        };
        if groundless { Err(nothing_unknown(deferral).into()) } else { Ok(Some(deferral.to_wire())) }
    }
}

fn not_taken(deferral: Deferral) -> Diagnostic {
    let detail = match deferral {
        Deferral::ResourceConfigUnknown => "Part of its configuration is known only after apply.",
        Deferral::ProviderConfigUnknown => "Part of the provider's configuration is known only after apply.",
        Deferral::AbsentPrerequisite => "Something it needs does not exist yet.",
    };
    let remedy = "Apply what it depends on first, with -target, and then the rest.";
    Diagnostic::error("This cannot be done yet", format!("{detail} {remedy}"))
}

pub(super) fn nothing_unknown(deferral: Deferral) -> Diagnostic {
    let detail =
        format!("This is a bug in the provider, please report it: it waits ({deferral:?}) for nothing.");
    Diagnostic::error(super::codec::INVALID, detail)
}
