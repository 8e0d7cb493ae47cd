//! Decides what a plan says about one image: a pure function of what is wanted, what was, what was seen,
//! and what can prove at apply that nothing moved in between.
//!
//! Core plans every change a second time during apply, and ends in "inconsistent final plan" when a value
//! that was known comes out otherwise. So a value is planned as known only where the second run either
//! computes the same or fails with an error of ours that names what changed.

#[cfg(test)]
mod tests;

use image_build::SourceHash;

use super::memory::{Content, Memory, Tree, Witness};

/// What the command-line program that runs us is able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// What a plan stores privately comes back in its second run (Terraform 1.16 and later).
    pub(crate) stores_planned_private: bool,
    /// This is known to be a first plan: the program tells its walks apart, and this one is no apply.
    pub(crate) surely_planning: bool,
    /// Resources were refreshed by this process, so private data is of this very plan.
    pub(crate) refreshed: bool,
}

/// What can be compared in the second run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence<'a> {
    /// This is the first run, and what it stores will come back.
    Fresh,
    /// What the first run stored has come back; `None`: it could not see the files yet.
    Planned(Option<&'a Witness>),
    /// The plan's refresh saw files that differ from those of the image.
    Refreshed(&'a Witness),
    /// There is a witness, but it says nothing about this plan.
    Void,
    /// Nothing was left behind. Either the refresh saw no difference, or there was no refresh.
    Nothing,
}

/// The files as they are, and what the wanted arguments make of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) tree: Tree,
    pub(crate) hash: SourceHash,
    /// There are `triggers`, so the same apply may generate files before this image is reached.
    pub(crate) generated: bool,
    /// The configuration says which files the plan was made with, and these are they.
    pub(crate) locked: bool,
}

/// The image in state.
#[derive(Debug, Clone)]
pub(crate) struct Prior<'a> {
    /// Absent after an import.
    pub(crate) hash: Option<SourceHash>,
    pub(crate) memory: &'a Memory,
    pub(crate) changed: Changed,
}

/// Which arguments differ between state and configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four facts, each independent of the others")]
pub(crate) struct Changed {
    /// Another repository, or one that is not known yet.
    pub(crate) repository: bool,
    /// What is looked at: the context, the Dockerfile, the target, the sources of layers.
    pub(crate) look: bool,
    /// Other arguments that go into the image: build arguments, labels, platforms, ….
    pub(crate) recipe: bool,
    /// Anything that stays out of the image: tags, policies, ….
    pub(crate) others: bool,
}

/// A computed value of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Computed<T> {
    /// As it is in state.
    Prior,
    Known(T),
    /// `(known after apply)`.
    Unknown,
}

/// What the plan says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Of `source_hash` and `sources`: `Known` is what the look gave.
    pub(crate) source: Computed<SourceHash>,
    /// Of `digest`, `platform_digests` and `size_bytes`; `uri` follows it and the repository.
    pub(crate) content: Computed<Content>,
    /// Another repository: a new image there, and the old one is let go.
    pub(crate) replace: bool,
}

/// The files are not what the plan was, or will be, based on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilesChanged {
    /// The paths that differ, one line each; empty when only directories too deep to name do.
    pub(crate) lines: Vec<String>,
    pub(crate) since: Since,
}

/// What the files are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// The files the plan saw.
    Planned,
    /// The files of the image: the plan saw no difference, or did not look.
    Built,
    /// The files that the configuration's lock is of.
    Locked,
}

/// What Read leaves for the plan's second run: nothing while the files are those of the image, so that a
/// refresh with nothing new changes nothing.
pub(crate) fn witness(built: Option<&Tree>, look: &Look, found: Option<Content>) -> Option<Witness> {
    let differs =
        built.is_some_and(|built| (built.digest, &built.pins) != (look.tree.digest, &look.tree.pins));
    differs.then(|| Witness { tree: look.tree.clone(), hash: look.hash, found })
}

/// Picks what the second run can be compared with.
pub(crate) fn evidence<'a>(
    client: Client,
    planned: Option<&'a Memory>,
    prior: &'a Memory,
    creating: bool,
) -> Evidence<'a> {
    if client.stores_planned_private {
        // The second half of a replacement is given what the first half planned as prior. It looks for itself all
        // the same: where the user forces a replacement the first half saw no change, and asked for no image.
        return planned.map_or(Evidence::Fresh, |memory| Evidence::Planned(memory.witness.as_ref()));
    }
    match &prior.witness {
        Some(witness) if !creating => Evidence::Refreshed(witness),
        _ => Evidence::Nothing,
    }
}

/// Decides what the plan says. `look` is `None` while an argument that goes into the image is unknown;
/// `found` is the image that carries the source tag of the look, asked for in [`Evidence::Fresh`] only.
pub(crate) fn decide(
    client: Client,
    evidence: Evidence<'_>,
    look: Option<&Look>,
    prior: Option<&Prior<'_>>,
    found: Option<Content>,
) -> Result<Decision, FilesChanged> {
    let evidence = without_stale(client, evidence, look, prior);
    if let (Some(witness), Some(look)) = (evidence.witness(), look) {
        same(&witness.tree, &look.tree, Since::Planned)?;
    }
    match prior {
        Some(prior) if !prior.changed.repository => update(evidence, look, prior, found),
        _ => Ok(new_image(evidence, look, found, prior.is_some())),
    }
}

impl<'a> Evidence<'a> {
    fn witness(self) -> Option<&'a Witness> {
        match self {
            Self::Planned(witness) => witness,
            Self::Refreshed(witness) => Some(witness),
            Self::Fresh | Self::Void | Self::Nothing => None,
        }
    }
}

/// Sets a witness aside that says nothing about this plan: it saw other places than configuration names
/// now, or an earlier run left it, or the files are expected to change.
fn without_stale<'a>(
    client: Client,
    evidence: Evidence<'a>,
    look: Option<&Look>,
    prior: Option<&Prior<'_>>,
) -> Evidence<'a> {
    let Evidence::Refreshed(witness) = evidence else { return evidence };
    let elsewhere = prior.is_none_or(|prior| prior.changed.look || prior.changed.repository);
    let differs = look.is_some_and(|look| look.tree.digest != witness.tree.digest);
    let locked = look.is_some_and(|look| look.locked);
    let left_over = differs && (locked || (client.surely_planning && !client.refreshed));
    let generated = look.is_some_and(|look| look.generated);
    match left_over || generated {
        _ if elsewhere => Evidence::Nothing,
        true => Evidence::Void,
        false => evidence,
    }
}

fn new_image(evidence: Evidence<'_>, look: Option<&Look>, found: Option<Content>, replace: bool) -> Decision {
    let (source, content) = match look {
        Some(look) => from_evidence(evidence, look, found),
        None => (Computed::Unknown, Computed::Unknown),
    };
    Decision { source, content, replace }
}

fn update(
    evidence: Evidence<'_>,
    look: Option<&Look>,
    prior: &Prior<'_>,
    found: Option<Content>,
) -> Result<Decision, FilesChanged> {
    let Some(look) = look else { return Ok(new_image(evidence, None, None, false)) };
    if prior.hash == Some(look.hash) {
        // Without other changes nothing is applied, so nothing has to be proved. With the files elsewhere
        // than the refresh looked, a later edit could not be told from one that was planned.
        let provable = !prior.changed.others
            || match evidence {
                Evidence::Fresh | Evidence::Planned(_) | Evidence::Refreshed(_) => true,
                Evidence::Void => look.locked,
                Evidence::Nothing => look.locked || !prior.changed.look,
            };
        let (source, content) = if provable {
            (Computed::Prior, Computed::Prior)
        } else {
            (Computed::Unknown, Computed::Unknown)
        };
        return Ok(Decision { source, content, replace: false });
    }
    if let (Some(built), Evidence::Nothing) = (&prior.memory.built, evidence) {
        let Changed { look: elsewhere, recipe, others, .. } = prior.changed;
        if others && !recipe && !elsewhere && !look.locked {
            same(built, &look.tree, Since::Built)?;
        }
    }
    Ok(new_image(evidence, Some(look), found, false))
}

fn from_evidence(
    evidence: Evidence<'_>,
    look: &Look,
    found: Option<Content>,
) -> (Computed<SourceHash>, Computed<Content>) {
    let known = |content: Option<Content>| content.map_or(Computed::Unknown, Computed::Known);
    match evidence {
        Evidence::Fresh => (Computed::Known(look.hash), known(found)),
        Evidence::Planned(Some(witness)) | Evidence::Refreshed(witness) => {
            let found = witness.found.clone().filter(|_| witness.hash == look.hash);
            (Computed::Known(look.hash), known(found))
        }
        Evidence::Planned(None) | Evidence::Void | Evidence::Nothing if look.locked => {
            (Computed::Known(look.hash), Computed::Unknown)
        }
        Evidence::Planned(None) | Evidence::Void | Evidence::Nothing => {
            (Computed::Unknown, Computed::Unknown)
        }
    }
}

fn same(was: &Tree, now: &Tree, since: Since) -> Result<(), FilesChanged> {
    if was.digest == now.digest {
        return Ok(());
    }
    let when = match since {
        Since::Planned => "when planned",
        Since::Built => "when the image was built",
        Since::Locked => "when they were locked",
    };
    Err(FilesChanged { lines: was.differences(now, when), since })
}
