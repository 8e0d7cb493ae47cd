//! Calls that bring states and identities of managed resources into another form: of an older version,
//! of another resource, of a configuration.

use std::sync::Arc;

use super::{Inner, codec};
use crate::{
    Diagnostic, Diagnostics, GenerateRequest, MoveRequest, Private, UpgradeIdentityRequest, UpgradeRequest,
    wire::tfplugin6::{
        generate_resource_config, move_resource_state, upgrade_resource_identity, upgrade_resource_state,
    },
};

pub(super) async fn upgrade(
    inner: Arc<Inner>,
    request: upgrade_resource_state::Request,
) -> Result<upgrade_resource_state::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    not_newer(request.version, managed.form.schema.current_version(), &request.type_name)?;
    let state = codec::decode_raw(request.raw_state, "state")?;
    let state = managed.resource.upgrade(UpgradeRequest { version: request.version, state }).await?;
    let upgraded_state = Some(managed.form.write_result(state, "upgrade")?);
    Ok(upgrade_resource_state::Response { upgraded_state, diagnostics: Vec::new() })
}

pub(super) async fn upgrade_identity(
    inner: Arc<Inner>,
    request: upgrade_resource_identity::Request,
) -> Result<upgrade_resource_identity::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let Some(identity) = &managed.identity else {
        let summary = format!("`{}` has no identity in this version of the provider", request.type_name);
        return Err(Diagnostic::error(summary, "").into());
    };
    not_newer(request.version, identity.schema.current_version(), &request.type_name)?;
    let raw = codec::decode_raw(request.raw_identity, "identity")?;
    let upgrade = UpgradeIdentityRequest { version: request.version, identity: raw };
    let upgraded = managed.resource.upgrade_identity(upgrade).await?;
    let upgraded_identity = managed.write_identity(Some(upgraded))?;
    Ok(upgrade_resource_identity::Response { upgraded_identity, diagnostics: Vec::new() })
}

fn not_newer(version: i64, current: i64, type_name: &str) -> Result<(), Diagnostics> {
    if version <= current {
        return Ok(());
    }
    let detail = format!(
        "The state of a `{type_name}` has version {version}, and this version of the provider knows {current} at \
         most. Use the provider that wrote it, or a newer one."
    );
    Err(Diagnostic::error("The state was written by a newer provider", detail).into())
}

pub(super) async fn moved(
    inner: Arc<Inner>,
    request: move_resource_state::Request,
) -> Result<move_resource_state::Response, Diagnostics> {
    let managed = inner.managed(&request.target_type_name)?;
    let identity = request.source_identity.filter(|identity| !identity.json.is_empty());
    let request = MoveRequest {
        source_provider: request.source_provider_address,
        source_type: request.source_type_name,
        source_version: request.source_schema_version,
        state: codec::decode_raw(request.source_state, "state")?,
        private: Private::decode(&request.source_private).unwrap_or_default(),
        identity: identity.map(|identity| codec::decode_raw(Some(identity), "identity")).transpose()?,
        identity_version: request.source_identity_schema_version,
        cancellation: inner.cancellation(),
    };
    let response = managed.resource.moved(request).await?;
    Ok(move_resource_state::Response {
        target_state: Some(managed.form.write_result(response.state, "moved")?),
        target_private: response.private.encode(),
        target_identity: managed.write_identity(response.identity)?,
        diagnostics: response.diagnostics.to_wire(),
    })
}

pub(super) async fn generate(
    inner: Arc<Inner>,
    request: generate_resource_config::Request,
) -> Result<generate_resource_config::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let state = managed.form.need(request.state, "state")?;
    let request = GenerateRequest { state, cancellation: inner.cancellation() };
    let config = managed.resource.generate_config(request).await?;
    let config = Some(managed.form.write_result(config, "generate_config")?);
    Ok(generate_resource_config::Response { config, diagnostics: Vec::new() })
}
