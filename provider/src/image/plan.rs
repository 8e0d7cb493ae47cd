//! Plan: reads what the decision needs, decides, and writes the decision down. Changes nothing.

#[cfg(test)]
mod tests;

use ecr_registry::Digest;
use image_build::{Cache, How, Recipe};
use tfplugin_rs::{Diagnostic, Diagnostics, PlanRequest, PlanResponse, Value};

use super::{
    arguments::{self, Arguments, Surroundings, blame, places, with_defaults, with_prior_paths},
    decision::{Changed, Computed, Decision, Evidence, FilesChanged, Look, Prior, Since, decide, evidence},
    lookup,
    memory::{Content, Memory, Tree, Witness},
    seen::Seen,
    state::{CONTENT, SOURCE, State, set_content, set_source},
    warnings::warnings,
};
use crate::{
    access::Access,
    context_data::locked,
    report::{Report, at},
};

/// Says what apply will do.
pub(super) async fn plan(access: &Access, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
    let wanted = Wanted::new(access, &request).await?;
    let client = access.client(request.client);
    let memory = Memory::of(&request.prior_private);
    let planned_memory = request.planned_private.as_ref().map(Memory::of);
    // For whoever asks why a value is known only after apply.
    tracing::debug!(
        ?client,
        creates = wanted.prior.is_none(),
        planned_private = planned_memory.is_some(),
        witness_planned = planned_memory.as_ref().is_some_and(|memory| memory.witness.is_some()),
        witness_prior = memory.witness.is_some(),
        "what a plan can be compared with"
    );
    let evidence = evidence(client, planned_memory.as_ref(), &memory, wanted.prior.is_none());
    wanted.claim_tags(access)?;
    let mut diagnostics = Diagnostics::new();
    let seen = wanted.look(access, evidence, &memory, &mut diagnostics).await?;
    let prior = wanted.prior.as_ref().map(|state| Prior {
        hash: state.hash,
        memory: &memory,
        changed: wanted.changed(state, &request.prior, seen.as_ref().map(|(seen, _)| seen)),
    });
    let look = seen.as_ref().and_then(|(_, look)| look.as_ref());
    let found = match (evidence, look) {
        (Evidence::Fresh, Some(look)) => wanted.found(access, look, &mut diagnostics).await?,
        _ => None,
    };
    let decision = decide(client, evidence, look, prior.as_ref(), found.clone())
        .map_err(|changed| changed.diagnostic())?;
    if let Some((seen, _)) = &seen {
        for warning in warnings(&seen.recipe, &seen.sources, decision.source != Computed::Prior) {
            access.warn(&wanted.context(), warning, &mut diagnostics);
        }
    }
    let witness = match evidence {
        Evidence::Fresh => look.map(|look| Witness { tree: look.tree.clone(), hash: look.hash, found }),
        Evidence::Planned(witness) => witness.cloned(),
        _ => memory.witness.clone(),
    };
    Ok(PlanResponse {
        planned: wanted.planned(&decision, seen.as_ref().map(|(seen, _)| seen), &request.prior),
        requires_replace: if decision.replace { vec!["repository".into()] } else { Vec::new() },
        private: Memory { witness, replaces: wanted.prior.is_none() || decision.replace, ..memory }
            .to_private(),
        diagnostics,
        ..PlanResponse::default()
    })
}

/// What is asked for.
struct Wanted {
    value: Value,
    arguments: Arguments,
    prior: Option<State>,
}

impl Wanted {
    async fn new(access: &Access, request: &PlanRequest) -> Result<Self, Diagnostics> {
        let value = with_defaults(request.proposed.clone(), &request.config);
        let around = Surroundings::of(access, &value).await;
        let mut arguments = Arguments::parse(&value, &around)?;
        let prior = (!request.prior.is_null()).then(|| State::parse(&request.prior, &around)).transpose()?;
        if let (None, Some(prior)) = (&arguments.repository, &prior)
            && value.get("repository") == request.prior.get("repository")
        {
            // The account cannot be asked for, so it is the one that it was.
            arguments.repository = Some(prior.repository.clone());
        }
        Ok(Self { value, arguments, prior })
    }

    fn recipe(&self) -> Option<&Recipe> {
        self.arguments.recipe.as_ref()?.as_ref()
    }

    fn context(&self) -> String {
        self.value.get("build").get("context").as_str().unwrap_or_default().to_owned()
    }

    /// Two images that want one tag would take it from each other for ever.
    fn claim_tags(&self, access: &Access) -> Result<(), Diagnostics> {
        let (Some(repository), Some(tags), Some(recipe)) =
            (&self.arguments.repository, &self.arguments.tags, self.recipe())
        else {
            return Ok(());
        };
        let taken = tags.iter().find(|tag| !access.claims(repository, tag, recipe));
        let Some(tag) = taken else { return Ok(()) };
        let summary = format!("Two images of this configuration want the tag `{tag}` in {repository}");
        let detail = "Each would take it from the other. Leave it in the `tags` of one of them.";
        Err(Diagnostic::error(summary, detail).at("tags").into())
    }

    /// Reads the files, unless an argument that goes into the image is unknown. What they make is not known while a
    /// name that is followed is not.
    async fn look(
        &self,
        access: &Access,
        evidence: Evidence<'_>,
        memory: &Memory,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<(Seen, Option<Look>)>, Diagnostics> {
        let Some(recipe) = self.recipe() else { return Ok(None) };
        // An image that exists keeps the format it was hashed with.
        let format = self.prior.as_ref().and_then(|prior| prior.hash).map(|hash| hash.format());
        let mut seen = Seen::of(recipe.clone(), format, &access.cache)
            .await
            .map_err(|error| Diagnostics::from(at(error.report(), blame(&error, &recipe.how))))?;
        // What may be asked for now has to be the same in the second run, which is told what the first one saw.
        let (registry, known) = match evidence {
            Evidence::Fresh => (access.registry.as_ref(), memory.built.as_ref().map(|built| &built.pins)),
            Evidence::Planned(witness) => (None, witness.map(|witness| &witness.tree.pins)),
            Evidence::Refreshed(_) | Evidence::Void | Evidence::Nothing => (None, memory.pins()),
        };
        let is_known = seen.follow(access, registry, known, diagnostics).await?;
        let mut look = seen.look();
        if let Some(lock) = self.arguments.source_lock {
            look.locked = is_proved(lock, recipe, &look.tree, &access.cache).await?;
        }
        Ok(Some((seen, is_known.then_some(look))))
    }

    /// The image that carries the source tag, where that is worth asking.
    async fn found(
        &self,
        access: &Access,
        look: &Look,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<Content>, Diagnostics> {
        let prior =
            self.prior.as_ref().filter(|prior| Some(&prior.repository) == self.arguments.repository.as_ref());
        let unchanged = prior.is_some_and(|prior| prior.hash == Some(look.hash));
        let (Some(registry), Some(tag), Some(repository), Some(recipe)) =
            (&access.registry, &access.source_tag, &self.arguments.repository, self.recipe())
        else {
            return Ok(None);
        };
        if unchanged {
            return Ok(None);
        }
        match lookup::planned(registry, repository, &tag.of(&look.hash), &recipe.platforms).await {
            Ok(found) => Ok(found),
            Err(error) => access.tolerate(&error, diagnostics).map(|()| None),
        }
    }

    fn changed(&self, state: &State, prior: &Value, seen: Option<&Seen>) -> Changed {
        let repository = self.arguments.repository.as_ref() != Some(&state.repository);
        let before = state.arguments.recipe.as_ref().and_then(Option::as_ref);
        // Other build arguments may have the Dockerfile copy other files.
        let elsewhere = before.zip(seen).is_some_and(|(before, seen)| !seen.sources.sees_as_much_for(before));
        let (look, recipe) = match (before.map(places), self.recipe().map(places)) {
            (Some(before), Some(now)) => (elsewhere || before.0 != now.0, before.1 != now.1),
            (before, now) => (before.is_some() != now.is_some(), before.is_some() != now.is_some()),
        };
        let kept = with_prior_paths(self.value.clone(), prior);
        let others = arguments::NAMES.iter().any(|name| kept.get(name) != prior.get(name));
        Changed { repository, look, recipe, others }
    }

    fn planned(&self, decision: &Decision, seen: Option<&Seen>, prior: &Value) -> Value {
        let mut planned = match decision.source {
            Computed::Prior => with_prior_paths(self.value.clone(), prior),
            _ => self.value.clone(),
        };
        let keep = |planned: &mut Value, names: &[&str]| {
            for name in names {
                planned.set(*name, prior.get(name).clone());
            }
        };
        match (&decision.source, seen) {
            (Computed::Known(hash), Some(seen)) => {
                set_source(&mut planned, hash, &seen.recipe, &seen.sources);
            }
            (Computed::Prior, _) => keep(&mut planned, &SOURCE),
            _ => forget(&mut planned, &SOURCE),
        }
        match &decision.content {
            Computed::Known(content) => {
                set_content(&mut planned, content, self.arguments.repository.as_ref());
            }
            Computed::Prior => keep(&mut planned, &CONTENT),
            Computed::Unknown => forget(&mut planned, &CONTENT),
        }
        planned
    }
}

/// Whether a lock proves which files there are. It is made without the build's arguments, which may lead to other files
/// than it is of: then it proves nothing.
///
/// # Errors
/// When the files are not those that it is of.
async fn is_proved(lock: Digest, recipe: &Recipe, tree: &Tree, cache: &Cache) -> Result<bool, Diagnostics> {
    if lock == tree.digest {
        return Ok(true);
    }
    if let How::Dockerfile(how) = &recipe.how {
        let sources = locked(how.clone(), cache)
            .await
            .map_err(|error| Diagnostics::from(at(error.report(), blame(&error, &recipe.how))))?;
        if lock == sources.tree {
            return Ok(false);
        }
    }
    Err(FilesChanged { lines: Vec::new(), since: Since::Locked }.diagnostic().into())
}

fn forget(planned: &mut Value, names: &[&str]) {
    for name in names {
        planned.set(*name, Value::Unknown);
    }
}

impl FilesChanged {
    /// The error, naming the files.
    pub(super) fn diagnostic(&self) -> Diagnostic {
        let (summary, remedy) = match self.since {
            Since::Planned => (
                "The image's files changed after the plan was made",
                "Plan again. If that was without a refresh, plan without -refresh=false.",
            ),
            Since::Built => (
                "The image's files are not those the plan was made with",
                "They changed after the plan was made, or the plan was made without looking at them. \
                 Plan again, without -refresh=false.",
            ),
            Since::Locked => (
                "The image's files are not those that source_lock is of",
                "They changed after the plan was made, or the lock is that of another context. Plan again.",
            ),
        };
        let lines = if self.lines.is_empty() { "the files differ".to_owned() } else { self.lines.join("\n") };
        Diagnostic::error(summary, format!("{lines}\n\n{remedy}"))
    }
}
