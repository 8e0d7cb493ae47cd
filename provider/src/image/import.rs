//! Import: takes over an image that is there already.

use ecr_registry::Reference;
use tfplugin_rs::{Diagnostic, Diagnostics, ImportRequest, ImportResponse, Value};

use super::{lookup, memory::Memory, state::set_content};
use crate::{access::Access, report::Report};

/// Takes over `repository@digest` or `repository:tag`.
pub(super) async fn import(access: &Access, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
    let id = request.id.unwrap_or_default();
    let reference: Reference = id.parse().map_err(|error: ecr_registry::NameError| error.report())?;
    if reference.tag.is_none() && reference.digest.is_none() {
        let summary = format!("`{id}` does not say which image to import");
        return Err(Diagnostic::error(summary, "Write repository@sha256:… or repository:tag.").into());
    }
    let found = lookup::find(access.registry()?, &reference.repository, &reference.version()).await;
    let Some(found) = found.map_err(|error| error.report())? else {
        let summary = format!("There is no image `{reference}` to import");
        return Err(Diagnostic::error(summary, "Check the repository and the tag or digest.").into());
    };
    let mut state = Value::object([("repository", Value::from(reference.repository.to_string()))]);
    if let Some(tag) = &reference.tag {
        state.set("tags", vec![tag.as_str()]);
    }
    set_content(&mut state, &found.content, Some(&reference.repository));
    Ok(ImportResponse { state, private: Memory::default().to_private(), ..ImportResponse::default() })
}
