//! Changes to managed resources: planned, planned again, made.

use super::{
    Core, State, config_of,
    managed::{judge_identity, judge_same},
};
use crate::{
    Deferral, Diagnostics, Path, Schema, Value, check,
    testing::{
        form::{
            answer, bug, complete_config, decode, decode_identity, deferral, encode, encode_config,
            encode_identity, judge, outcome, path,
        },
        proposed::proposed,
    },
    wire::tfplugin6::{self as wire, plan_resource_change},
};

/// A planned change, as a saved plan holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The state to be, with unknowns.
    pub value: Value,
    /// Private data of the plan, as bytes.
    pub private: Vec<u8>,
    /// The identity to be, if the provider knows it.
    pub identity: Option<Value>,
    /// Attributes whose change forces a replacement; empty for a change in place.
    pub replaces: Vec<Path>,
    /// If the change has to wait, why.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub warnings: Diagnostics,
    /// What is there before; nothing in the second half of a replacement.
    prior: State,
    /// What a replacement destroys first.
    destroys: Option<State>,
    config: Value,
}

impl Planned {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.value == self.prior.value && self.destroys.is_none()
    }
}

impl Core {
    /// Validates and plans. A null `config` destroys. If that forces a replacement, or the state is tainted,
    /// the answer is its second half, the plan for the new resource: what the first half kept in its
    /// private data is the second one's prior private data.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn plan(&self, type_name: &str, state: &State, config: Value) -> Result<Planned, Diagnostics> {
        let (schema, _) = self.managed(type_name).await?;
        let config = complete_config(schema, config);
        self.validate(type_name, &config).await?;
        if state.tainted && !config.is_null() {
            let made = self.plan_once(type_name, &State::default(), &config, &[]).await?;
            return Ok(Planned { destroys: Some(state.clone()), ..made });
        }
        let first = self.plan_once(type_name, state, &config, &[]).await?;
        if first.replaces.is_empty() {
            return Ok(first);
        }
        let gone = State { private: first.private, identity: first.identity, ..State::default() };
        let second = self.plan_once(type_name, &gone, &config, &[]).await?;
        let (replaces, destroys) = (first.replaces, Some(state.clone()));
        Ok(Planned { replaces, prior: State::default(), destroys, ..second })
    }

    /// The plan made again during apply: validates and plans from the same state, with the configuration as
    /// known by now. What was known must be known still, and the same.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn plan_again(
        &self,
        type_name: &str,
        first: &Planned,
        config: &Value,
    ) -> Result<Planned, Diagnostics> {
        let (schema, _) = self.managed(type_name).await?;
        let config = complete_config(schema, config.clone());
        self.validate(type_name, &config).await?;
        let kept: &[u8] = if self.capabilities.store_planned_private { &first.private } else { &[] };
        let second = self.plan_once(type_name, &first.prior, &config, kept).await?;
        judge(INCONSISTENT, &check::replan(schema, &first.value, &second.value))?;
        if !second.replaces.is_empty() {
            return Err(bug(
                INCONSISTENT,
                "The provider changed the planned action from Update to replacing.",
            ));
        }
        if second.deferred.is_some() && first.deferred.is_none() {
            return Err(bug("Resource deferred during apply, but not during plan", ""));
        }
        let (replaces, destroys) = (first.replaces.clone(), first.destroys.clone());
        Ok(Planned { replaces, destroys, ..second })
    }

    /// Plans, lets `change` change the world, and plans again as apply would: a value that the first plan
    /// knew may not differ in the second, whatever happened meanwhile. Gives both plans.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn replan_after(
        &self,
        type_name: &str,
        state: &State,
        config: Value,
        change: impl AsyncFnOnce(),
    ) -> Result<(Planned, Planned), Diagnostics> {
        let first = self.plan(type_name, state, config.clone()).await?;
        change().await;
        let second = self.plan_again(type_name, &first, &config).await?;
        Ok((first, second))
    }

    /// Makes the change: destroys first what is replaced, validates and plans again with the configuration as
    /// known by now, and creates or updates. Destroying is not planned again.
    ///
    /// # Errors
    /// With the state that Terraform would keep.
    pub async fn apply(
        &self,
        type_name: &str,
        planned: Planned,
        config: Value,
    ) -> Result<State, (State, Diagnostics)> {
        if let Some(old) = planned.destroys.clone() {
            // The private data is that of the plan for the new one.
            let destroy = Planned {
                value: Value::Null,
                identity: None,
                prior: old,
                destroys: None,
                config: Value::Null,
                ..planned.clone()
            };
            self.change(type_name, destroy).await?;
        }
        if planned.value.is_null() {
            return self.change(type_name, planned).await;
        }
        match self.plan_again(type_name, &planned, &config).await {
            Ok(second) if second.value == second.prior.value => Ok(second.prior),
            Ok(second) => self.change(type_name, second).await,
            Err(diagnostics) => Err((planned.prior, diagnostics)),
        }
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Result<(), Diagnostics> {
        if config.is_null() {
            return Ok(());
        }
        let (schema, _) = self.managed(type_name).await?;
        let request = wire::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(config_of(schema, config.clone())),
            client_capabilities: Some(self.capabilities),
        };
        outcome(answer(self.calls().validate_resource_config(request)).await?.diagnostics).map(drop)
    }

    async fn plan_once(
        &self,
        type_name: &str,
        prior: &State,
        config: &Value,
        planned_private: &[u8],
    ) -> Result<Planned, Diagnostics> {
        let (schema, identity) = self.managed(type_name).await?;
        if config.is_null() && !self.published().await?.plans_destroy {
            return Ok(Planned::destroying(prior));
        }
        let proposed = complete_config(schema, proposed(schema, &prior.value, config));
        let request = plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(encode(schema, prior.value.clone())),
            proposed_new_state: Some(encode_config(schema, &proposed)),
            config: Some(encode_config(schema, config)),
            prior_private: prior.private.clone(),
            client_capabilities: Some(self.capabilities),
            prior_identity: encode_identity(identity, prior.identity.as_ref()),
            planned_private: planned_private.to_vec(),
            provider_meta: self.meta().await?,
        };
        let answer = answer(self.calls().plan_resource_change(request)).await?;
        let planned = self.planned(type_name, prior, config, answer).await?;
        self.judge_plan(type_name, &planned).await?;
        Ok(planned.replacing_what_changed(schema))
    }

    async fn planned(
        &self,
        type_name: &str,
        prior: &State,
        config: &Value,
        answer: plan_resource_change::Response,
    ) -> Result<Planned, Diagnostics> {
        let (schema, identity) = self.managed(type_name).await?;
        Ok(Planned {
            warnings: outcome(answer.diagnostics)?,
            value: decode(&schema.implied_type(), answer.planned_state)?,
            private: answer.planned_private,
            identity: decode_identity(identity, answer.planned_identity)?,
            replaces: answer.requires_replace.iter().map(path).collect(),
            deferred: deferral(answer.deferred),
            prior: prior.clone(),
            destroys: None,
            config: config.clone(),
        })
    }

    async fn judge_plan(&self, type_name: &str, planned: &Planned) -> Result<(), Diagnostics> {
        if let Some(deferral) = planned.deferred {
            return self.may_defer(deferral);
        }
        let (schema, identity) = self.managed(type_name).await?;
        let prior = &planned.prior.value;
        let mut faults = check::plan(schema, prior, &planned.config, &planned.value);
        faults.extend(check::replaces(schema, prior, &planned.value, &planned.replaces));
        judge("Provider produced invalid plan", &faults)?;
        let in_place = !prior.is_null() && planned.replaces.is_empty() && !planned.value.is_null();
        if in_place { judge_identity(identity, planned.identity.as_ref()) } else { Ok(()) }
    }

    pub(super) fn may_defer(&self, deferral: Deferral) -> Result<(), Diagnostics> {
        let summary = "Provider deferred changes when Terraform did not allow deferrals";
        if self.capabilities.deferral_allowed { Ok(()) } else { Err(bug(summary, format!("{deferral:?}"))) }
    }

    async fn change(&self, type_name: &str, planned: Planned) -> Result<State, (State, Diagnostics)> {
        let before = planned.prior.clone();
        let creates = before.value.is_null();
        let failed = |diagnostics| (before.clone(), diagnostics);
        let (schema, identity) = self.managed(type_name).await.map_err(failed)?;
        let request = wire::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(encode(schema, planned.prior.value)),
            planned_state: Some(encode(schema, planned.value.clone())),
            config: Some(encode_config(schema, &planned.config)),
            planned_private: planned.private,
            planned_identity: encode_identity(identity, planned.identity.as_ref()),
            provider_meta: self.meta().await.map_err(failed)?,
        };
        let answer = answer(self.calls().apply_resource_change(request)).await.map_err(failed)?;
        let state = self.unjudged(type_name, answer.new_state, answer.private, answer.new_identity);
        let state = state.await.map_err(failed)?;
        let judged = outcome(answer.diagnostics).map(drop).and_then(|()| {
            judge(
                "Provider produced inconsistent result after apply",
                &check::apply(schema, &planned.value, &state.value),
            )?;
            judge_identity(identity, state.identity.as_ref())?;
            judge_same(&before, &state)
        });
        match judged {
            Ok(()) => Ok(state),
            Err(diagnostics) if state.value.is_null() => Err(failed(diagnostics)),
            Err(diagnostics) => Err((State { tainted: creates || before.tainted, ..state }, diagnostics)),
        }
    }
}

impl Planned {
    /// What Terraform makes up for providers that are not asked.
    fn destroying(prior: &State) -> Self {
        Self {
            value: Value::Null,
            private: prior.private.clone(),
            identity: None,
            replaces: Vec::new(),
            deferred: None,
            warnings: Diagnostics::new(),
            prior: prior.clone(),
            destroys: None,
            config: Value::Null,
        }
    }

    /// Only what really changes forces a replacement, and what is write-only, which cannot be compared.
    fn replacing_what_changed(mut self, schema: &Schema) -> Self {
        let (prior, planned) = (&self.prior.value, &self.value);
        let there = !prior.is_null() && !planned.is_null();
        let is_write_only = |path: &Path| {
            schema.attribute_at(path).is_some_and(|one| one.is_write_only() && path.ends_with(one.name()))
        };
        self.replaces.retain(|path| there && (prior.at(path) != planned.at(path) || is_write_only(path)));
        self
    }
}

const INCONSISTENT: &str = "Provider produced inconsistent final plan";
