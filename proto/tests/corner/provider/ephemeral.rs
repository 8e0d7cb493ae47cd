//! Ephemeral resources: one that has every kind of attribute, and one whose life is written down.

use std::time::{Duration, SystemTime};

use tfplugin_rs::{
    Attribute, CloseRequest, Diagnostic, Diagnostics, EphemeralResource, OpenRequest, OpenResponse, Private,
    RenewRequest, RenewResponse, Schema, Type, ValidateRequest, async_trait,
};

use crate::{journal, kinds};

/// `corner_kinds`: gives its configuration back.
pub(crate) struct Kinds;

#[async_trait]
impl EphemeralResource for Kinds {
    fn type_name(&self) -> &'static str {
        "corner_kinds"
    }

    fn schema(&self) -> Schema {
        kinds::schema()
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        Ok(OpenResponse { result: request.config, ..OpenResponse::default() })
    }
}

/// `corner_token`: opened, renewed while it is used, and closed.
pub(crate) struct Token;

/// How long a token lasts.
const LIFE: Duration = Duration::from_millis(400);

#[async_trait]
impl EphemeralResource for Token {
    fn type_name(&self) -> &'static str {
        "corner_token"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("name", Type::String).describe("Not `refused`."))
            .attribute(Attribute::optional("lasts", Type::Bool).describe("Whether it needs no renewal."))
            .attribute(Attribute::computed("token", Type::String))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        match request.config.get("name").as_str() {
            Some("") => Diagnostic::error("A token needs a name", "").at("name").into(),
            _ => Diagnostics::new(),
        }
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        let name: String = request.config.view().get("name").read()?;
        if name == "refused" {
            return Err(Diagnostic::error("There is no such token", "").at("name").into());
        }
        journal::note(&format!("open {name}"))?;
        let mut private = Private::default();
        private.set("name", &name).map_err(lost)?;
        let lasts = request.config.get("lasts").as_bool() == Some(true);
        Ok(OpenResponse {
            result: request.config.with("token", format!("token of {name}")),
            renew_at: (!lasts).then(|| SystemTime::now() + LIFE),
            private,
            ..OpenResponse::default()
        })
    }

    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        let RenewRequest { private, .. } = request;
        journal::note(&format!("renew {}", name(&private)?))?;
        let renew_at = Some(SystemTime::now() + LIFE);
        Ok(RenewResponse { renew_at, private, ..RenewResponse::default() })
    }

    async fn close(&self, request: CloseRequest) -> Diagnostics {
        let closed = name(&request.private).and_then(|name| journal::note(&format!("close {name}")));
        closed.err().map(Diagnostics::from).unwrap_or_default()
    }
}

fn name(private: &Private) -> Result<String, Diagnostic> {
    let name = private.get("name").map_err(lost)?;
    name.ok_or_else(|| Diagnostic::error("The token's private data is gone", ""))
}

fn lost(error: impl std::error::Error) -> Diagnostic {
    Diagnostic::error("The token's private data cannot be used", error.to_string())
}
