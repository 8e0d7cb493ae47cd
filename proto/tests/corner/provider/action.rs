//! An action whose only effect is a line in the journal.

use tfplugin_rs::{
    Action, Attribute, Deferral, Diagnostic, Diagnostics, InvokeRequest, PlanActionRequest,
    PlanActionResponse, Progress, Schema, Type, Validator, async_trait,
};

use crate::journal;

/// `corner_note`.
pub(crate) struct Note;

fn fails() -> Attribute {
    Attribute::optional("fails", Type::String).validate(Validator::one_of(["plan", "later", "invoke"]))
}

#[async_trait]
impl Action for Note {
    fn type_name(&self) -> &'static str {
        "corner_note"
    }

    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::required("text", Type::String)).attribute(fails())
    }

    async fn plan(&self, request: PlanActionRequest) -> Result<PlanActionResponse, Diagnostics> {
        match request.config.get("fails").as_str() {
            Some("plan") => Err(Diagnostic::error("This note cannot be planned", "").at("fails").into()),
            Some("later") => {
                let deferred = Some(Deferral::ProviderConfigUnknown);
                Ok(PlanActionResponse { deferred, ..PlanActionResponse::default() })
            }
            _ => Ok(PlanActionResponse::default()),
        }
    }

    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        let text: String = request.config.view().get("text").read()?;
        progress.say(format!("writing {text}"));
        if request.config.get("fails").as_str() == Some("invoke") {
            return Err(Diagnostic::error("This note cannot be written", "").at("fails").into());
        }
        journal::note(&format!("note {text}"))?;
        progress.warn(Diagnostic::warning("A note cannot be taken back", ""));
        Ok(())
    }
}
