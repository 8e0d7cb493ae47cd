//! Calls that change managed resources: plan and apply, with the duties towards Terraform that need
//! no knowledge of the resource.

use std::sync::Arc;

use super::{Inner, codec, deferral, managed::Managed};
use crate::{
    ApplyRequest, ApplyResponse, Block, ClientCapabilities, Diagnostic, Diagnostics, NestedBlock, Nesting,
    Operation, Path, PlanRequest, PlanResponse, Step, Value, check,
    schema::is_absent,
    wire::tfplugin6::{self as wire, apply_resource_change, plan_resource_change},
};

pub(super) async fn plan(
    inner: Arc<Inner>,
    request: plan_resource_change::Request,
) -> Result<plan_resource_change::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let planned_private = Some(&request.planned_private).filter(|bytes| !bytes.is_empty());
    let request = PlanRequest {
        prior: managed.form.read(request.prior_state)?,
        proposed: managed.form.proposed(request.proposed_new_state)?,
        config: managed.form.read(request.config)?,
        prior_private: codec::private(&request.prior_private)?,
        planned_private: planned_private.map(|bytes| codec::private(bytes)).transpose()?,
        prior_identity: managed.read_identity(request.prior_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    if request.prior.is_null() && request.proposed.is_null() {
        return Err(codec::absent("state to plan for").into());
    }
    let asked = Asked::of(&request);
    let response = managed.resource.plan(request).await?;
    let deferred = asked.defer(&inner, &response)?;
    let answer = asked.judge(managed, response, deferred.is_some())?;
    Ok(plan_resource_change::Response { deferred, ..answer })
}

/// What an answer is judged by.
struct Asked {
    prior: Value,
    config: Value,
    identity: Option<Value>,
    operation: Operation,
    client: ClientCapabilities,
    /// Whether this is certainly the plan made again during apply.
    again: bool,
}

impl Asked {
    fn of(request: &PlanRequest) -> Self {
        Self {
            prior: request.prior.clone(),
            config: request.config.clone(),
            identity: request.prior_identity.clone(),
            operation: request.operation(),
            client: request.client,
            again: request.planned_private.is_some(),
        }
    }

    fn defer(&self, inner: &Inner, response: &PlanResponse) -> Result<Option<wire::Deferred>, Diagnostics> {
        match response.deferred {
            Some(deferral) if self.again => Err(deferral::nothing_unknown(deferral).into()),
            deferral => inner.defer(deferral, self.client, Some(&self.config)),
        }
    }

    /// A plan as Terraform takes it.
    fn judge(
        &self,
        managed: &Managed,
        response: PlanResponse,
        deferred: bool,
    ) -> Result<plan_resource_change::Response, Diagnostics> {
        let planned = if self.operation == Operation::Destroy { Value::Null } else { response.planned };
        let (planned, planned_state) = managed.form.write(planned)?;
        let mut diagnostics = response.diagnostics;
        if !diagnostics.has_errors() && !deferred {
            diagnostics.extend(self.faults(managed, &planned, &response.requires_replace));
        }
        let stays = self.operation == Operation::Update && response.requires_replace.is_empty();
        let before = self.identity.as_ref().filter(|_| stays);
        let identity = response.identity.filter(Value::is_wholly_known);
        Ok(plan_resource_change::Response {
            planned_state: Some(planned_state),
            requires_replace: response.requires_replace.iter().map(Path::to_wire).collect(),
            planned_private: response.private.encode(),
            planned_identity: managed.write_same_identity(before, identity)?,
            diagnostics: diagnostics.to_wire(),
            ..Default::default()
        })
    }

    fn faults(&self, managed: &Managed, planned: &Value, replaces: &[Path]) -> Diagnostics {
        let schema = &managed.form.schema;
        let mut filled = Vec::new();
        if !self.client.computed_blocks {
            find_filled(schema.top(), &self.config, planned, &Path::root(), &mut filled);
        }
        if filled.is_empty() {
            let mut faults = check::plan(schema, &self.prior, &self.config, planned);
            faults.extend(check::replaces(schema, &self.prior, planned, replaces));
            codec::bugs(&faults)
        } else {
            filled.into_iter().map(needs_computed_blocks).collect()
        }
    }
}

/// Finds the blocks that the user did not write and the provider fills.
fn find_filled(block: &Block, config: &Value, planned: &Value, path: &Path, filled: &mut Vec<Path>) {
    for nested in block.blocks() {
        let (config, planned) = (config.get(nested.name()), planned.get(nested.name()));
        let path = path.clone().attribute(nested.name());
        if nested.is_ours(config) && !is_absent(planned) {
            filled.push(path);
            continue;
        }
        for step in elements(nested, planned) {
            let at = Path::root();
            let (at, path) = match step {
                Some(step) => (at.then(step.clone()), path.clone().then(step)),
                None => (at, path.clone()),
            };
            find_filled(nested.content(), config.at(&at), planned.at(&at), &path, filled);
        }
    }
}

/// The steps to the elements of a block, `None` for the block itself. Those of sets have no address.
fn elements(nested: &NestedBlock, planned: &Value) -> Vec<Option<Step>> {
    match (nested.nesting(), planned) {
        (None | Some(Nesting::Single), _) => vec![None],
        (Some(Nesting::List), Value::List(elements)) => {
            (0..elements.len()).map(|index| Some(Step::Index(index))).collect()
        }
        (Some(Nesting::Map), Value::Map(members)) => {
            members.keys().cloned().map(Step::Key).map(Some).collect()
        }
        _ => Vec::new(),
    }
}

fn needs_computed_blocks(path: Path) -> Diagnostic {
    let detail = format!("The provider fills in `{path}`. Use Terraform 1.16 or newer, or write the block.");
    Diagnostic::error("Computed blocks need a newer client", detail).at(path)
}

pub(super) async fn apply(
    inner: Arc<Inner>,
    request: apply_resource_change::Request,
) -> Result<apply_resource_change::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let request = ApplyRequest {
        prior: managed.form.read(request.prior_state)?,
        planned: managed.form.read(request.planned_state)?,
        config: managed.form.read(request.config)?,
        private: codec::private(&request.planned_private)?,
        identity: managed.read_identity(request.planned_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        cancellation: inner.cancellation(),
    };
    if request.prior.is_null() && request.planned.is_null() {
        return Err(codec::absent("state to apply").into());
    }
    let promised = Promised {
        state: request.planned.clone(),
        identity: request.identity.clone(),
        operation: request.operation(),
    };
    // An `Err` answers without a state: Terraform keeps the one before, with its private data.
    let response = managed.resource.apply(request).await?;
    promised.judge(managed, response)
}

/// What was planned, by which a result is judged.
struct Promised {
    state: Value,
    identity: Option<Value>,
    operation: Operation,
}

impl Promised {
    /// A result as Terraform takes it. Whatever is wrong with it, what exists must not be forgotten: what
    /// cannot be written is replaced by what was planned.
    fn judge(
        self,
        managed: &Managed,
        response: ApplyResponse,
    ) -> Result<apply_resource_change::Response, Diagnostics> {
        let mut diagnostics = response.diagnostics;
        let failed = diagnostics.has_errors();
        let gone = self.operation == Operation::Destroy && !failed;
        let state = if gone { Value::Null } else { response.state };
        if !failed {
            diagnostics.collect(codec::known(&state));
        }
        let written = diagnostics.collect(managed.form.write(without_unknowns(state)));
        let (state, new_state) = match written {
            Some(written) => written,
            None => managed.form.write(without_unknowns(self.state.clone()))?,
        };
        if !diagnostics.has_errors() {
            diagnostics.extend(codec::bugs(&check::apply(&managed.form.schema, &self.state, &state)));
        }
        if let Some(identity) = response.identity.as_ref().filter(|_| !failed) {
            diagnostics.collect(codec::known_identity(identity));
        }
        let identity = response.identity.filter(Value::is_wholly_known);
        let written = diagnostics.collect(managed.write_same_identity(self.identity.as_ref(), identity));
        let new_identity = match written {
            Some(written) => written,
            None => managed.write_identity(self.identity).unwrap_or_default(),
        };
        Ok(apply_resource_change::Response {
            new_state: Some(new_state),
            private: response.private.encode(),
            new_identity,
            diagnostics: diagnostics.to_wire(),
            ..Default::default()
        })
    }
}

fn without_unknowns(state: Value) -> Value {
    state.map(&mut |_, value| if value.is_unknown() { Value::Null } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attribute, Schema, Type};

    #[test]
    fn blocks_filled_by_the_provider() {
        let content = || Block::new().attribute(Attribute::optional_computed("a", Type::Bool));
        let inner = NestedBlock::single("in", content()).computed();
        let schema = Schema::new()
            .block(NestedBlock::list("own", content()).computed())
            .block(NestedBlock::list("row", content().block(inner.clone())))
            .block(NestedBlock::map("by", content().block(inner)));
        let part = || Value::object([("a", true.into())]);
        let own = |value: Value| Value::object([("own", value)]);
        let row = |inner: Value| Value::object([("row", Value::list([Value::object([("in", inner)])]))]);
        let by =
            |inner: Value| Value::object([("by", Value::object([("k", Value::object([("in", inner)]))]))]);
        for (config, planned, expected) in [
            (own(Value::Null), own(Value::list([])), vec![]),
            (own(Value::list([])), own(Value::Unknown), vec!["own"]),
            (own(Value::list([])), own(Value::list([part()])), vec!["own"]),
            (own(Value::list([part()])), own(Value::list([part()])), vec![]),
            (row(Value::Null), row(part()), vec!["row[0].in"]),
            (row(part()), row(part()), vec![]),
            (by(Value::Null), by(part()), vec![r#"by["k"].in"#]),
        ] {
            let mut filled = Vec::new();
            find_filled(schema.top(), &config, &planned, &Path::root(), &mut filled);
            assert_eq!(filled.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
    }
}
