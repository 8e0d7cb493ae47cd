use std::{collections::BTreeMap, sync::LazyLock};

use ecr_registry::Digest;

use super::*;

/// The three kinds of clients, in their first run after a refresh.
const TERRAFORM: Client = Client { stores_planned_private: false, surely_planning: true, refreshed: true };
const NEWER_TERRAFORM: Client = Client { stores_planned_private: true, ..TERRAFORM };
const OPENTOFU: Client = Client { surely_planning: false, ..TERRAFORM };

const NOTHING: Changed = Changed { repository: false, look: false, recipe: false, others: false };
const LOOK: Changed = Changed { look: true, ..NOTHING };
const RECIPE: Changed = Changed { recipe: true, ..NOTHING };
const OTHERS: Changed = Changed { others: true, ..NOTHING };
const REPOSITORY: Changed = Changed { repository: true, ..NOTHING };

/// Three contents of the files, and what the arguments of state and other ones make of them.
static TREES: LazyLock<[Tree; 3]> = LazyLock::new(|| {
    [0, 1, 2].map(|content| {
        let digest = Digest::of(&[content]);
        let files = BTreeMap::from([("app/main.py".to_owned(), digest.short())]);
        Tree { digest, files, pins: BTreeMap::new() }
    })
});
static HASHES: LazyLock<[[SourceHash; 2]; 3]> = LazyLock::new(|| {
    let hash = |bytes: &[u8]| format!("1:{}", Digest::of(bytes).hex()).parse().unwrap();
    [0, 1, 2].map(|content| [0, 1].map(|recipe| hash(&[content, recipe])))
});

fn tree(content: u8) -> Tree {
    TREES[usize::from(content)].clone()
}

fn hash(content: u8, recipe: bool) -> SourceHash {
    HASHES[usize::from(content)][usize::from(recipe)]
}

fn look(content: u8, recipe: bool) -> Look {
    Look { tree: tree(content), hash: hash(content, recipe), generated: false, locked: false }
}

/// An image of its own for each hash.
fn image(hash: SourceHash) -> Content {
    let number = HASHES.iter().flatten().position(|known| *known == hash).unwrap();
    let digest = Digest::of(&[100, u8::try_from(number).unwrap()]);
    Content { digest, platform_digests: BTreeMap::new(), size_bytes: 7 }
}

fn built(content: u8, witness: Option<Witness>) -> Memory {
    Memory { built: Some(tree(content)), witness, ..Memory::default() }
}

/// `prior`, `known` or `unknown` of source and content, and `replace`; or the error's lines.
fn words(decision: Result<Decision, FilesChanged>) -> String {
    fn word<T>(computed: &Computed<T>) -> &'static str {
        match computed {
            Computed::Prior => "prior",
            Computed::Known(_) => "known",
            Computed::Unknown => "unknown",
        }
    }
    match decision {
        Ok(Decision { source, content, replace }) => {
            let replace = if replace { " replace" } else { "" };
            format!("{} {}{replace}", word(&source), word(&content))
        }
        Err(FilesChanged { since, lines }) => format!("{since:?}: {}", lines.join("; ")),
    }
}

/// What state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// An image whose sources are not known.
    Imported,
    /// An image of content 0.
    Built,
}

impl Before {
    fn prior(self, memory: &Memory, changed: Changed) -> Option<Prior<'_>> {
        let hash = (self == Self::Built).then(|| hash(0, false));
        (self != Self::Nothing).then_some(Prior { hash, memory, changed })
    }

    fn memory(self, witness: Option<Witness>) -> Memory {
        if self == Self::Built { built(0, witness) } else { Memory::default() }
    }
}

/// One row of the contract's table, for each kind of client after a refresh.
struct Row {
    situation: &'static str,
    state: Before,
    changed: Changed,
    /// The files now; `None` while an input is unknown.
    now: Option<u8>,
    /// Whether the registry has an image of the files now.
    found: bool,
    terraform: &'static str,
    newer: &'static str,
    opentofu: &'static str,
}

#[test]
fn plans_by_the_table() {
    for row in &rows() {
        let all = [(TERRAFORM, row.terraform), (NEWER_TERRAFORM, row.newer), (OPENTOFU, row.opentofu)];
        for (client, expected) in all {
            assert_eq!(words(plan_row(row, client)), expected, "{}, {client:?}", row.situation);
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let create = Row {
        situation: "create",
        state: Before::Nothing,
        changed: NOTHING,
        now: Some(0),
        found: false,
        terraform: "unknown unknown",
        newer: "known unknown",
        opentofu: "unknown unknown",
    };
    let same = Row {
        situation: "nothing changed",
        state: Before::Built,
        terraform: "prior prior",
        newer: "prior prior",
        opentofu: "prior prior",
        ..create
    };
    let content = Row {
        situation: "content changed",
        now: Some(1),
        terraform: "known unknown",
        newer: "known unknown",
        opentofu: "known unknown",
        ..same
    };
    let found = Row {
        terraform: "known known",
        newer: "known known",
        opentofu: "known known",
        found: true,
        ..content
    };
    let argument = Row {
        situation: "argument changed alone",
        changed: RECIPE,
        terraform: "unknown unknown",
        newer: "known unknown",
        opentofu: "unknown unknown",
        ..same
    };
    let unknown = Row {
        situation: "a hashed input unknown",
        now: None,
        terraform: "unknown unknown",
        newer: "unknown unknown",
        opentofu: "unknown unknown",
        ..same
    };
    let import = Row {
        situation: "first plan after import",
        state: Before::Imported,
        changed: Changed { look: true, recipe: true, others: true, repository: false },
        ..argument
    };
    let repository = Row {
        situation: "repository changed",
        changed: REPOSITORY,
        terraform: "unknown unknown replace",
        newer: "known unknown replace",
        opentofu: "unknown unknown replace",
        ..same
    };
    vec![
        Row { situation: "create, image there", found: true, newer: "known known", ..create },
        Row { situation: "create, input unknown", state: Before::Nothing, ..unknown },
        Row { situation: "moved to another folder", changed: LOOK, ..same },
        Row { situation: "tags, policies", changed: OTHERS, ..same },
        Row {
            situation: "moved to another folder, and tags",
            changed: Changed { look: true, ..OTHERS },
            terraform: "unknown unknown",
            opentofu: "unknown unknown",
            ..same
        },
        Row { situation: "content and tags changed", changed: OTHERS, ..content },
        Row { situation: "content changed, image there", ..found },
        Row {
            situation: "content and argument changed",
            changed: RECIPE,
            // What the refresh found belongs to the arguments in state.
            terraform: "known unknown",
            opentofu: "known unknown",
            ..found
        },
        Row {
            situation: "content changed in another folder",
            changed: LOOK,
            terraform: "unknown unknown",
            opentofu: "unknown unknown",
            ..content
        },
        Row { situation: "argument changed, image there", found: true, newer: "known known", ..argument },
        Row {
            situation: "argument and tags changed",
            changed: Changed { recipe: true, ..OTHERS },
            ..argument
        },
        Row { situation: "input unknown, tags changed", changed: OTHERS, ..unknown },
        Row { situation: "import, image there", found: true, newer: "known known", ..import },
        Row { situation: "repository and content changed", now: Some(1), ..repository },
        Row {
            situation: "repository changed, image there",
            found: true,
            newer: "known known replace",
            ..repository
        },
        Row {
            situation: "repository changed, input unknown",
            now: None,
            newer: "unknown unknown replace",
            ..repository
        },
        create,
        same,
        content,
        argument,
        unknown,
        import,
        repository,
    ]
}

fn plan_row(row: &Row, client: Client) -> Result<Decision, FilesChanged> {
    let look_now = row.now.map(|content| look(content, row.changed.recipe));
    let found = |look: &Look| row.found.then(|| image(look.hash));
    let seen = row.now.filter(|_| row.state == Before::Built).map(|content| look(content, false));
    let left = seen.and_then(|seen| witness(Some(&tree(0)), &seen, found(&seen)));
    let memory = row.state.memory(left.filter(|_| !client.stores_planned_private));
    let prior = row.state.prior(&memory, row.changed);
    let evidence = evidence(client, None, &memory, prior.is_none());
    let asked = look_now.as_ref().filter(|_| evidence == Evidence::Fresh).and_then(found);
    decide(client, evidence, look_now.as_ref(), prior.as_ref(), asked)
}

#[test]
fn names_the_files_that_changed_after_the_plan() {
    let seen = Witness { tree: tree(1), hash: hash(1, false), found: None };
    let memory = built(0, Some(seen));
    let applying = Client { surely_planning: false, refreshed: false, ..TERRAFORM };
    let error = "Planned: ./app/main.py was 4bf5122f3445 when planned, is dbc1b4c900ff now";
    let unseen = "Built: ./app/main.py was 6e340b9cffb3 when the image was built, is dbc1b4c900ff now";
    let check = |client, memory: &Memory, changed, now, expected: &str| {
        let prior = Prior { hash: Some(hash(0, false)), memory, changed };
        let evidence = evidence(client, None, memory, false);
        assert_eq!(words(decide(client, evidence, Some(&look(now, false)), Some(&prior), None)), expected);
    };
    check(applying, &memory, NOTHING, 2, error);
    check(applying, &memory, OTHERS, 2, error);
    check(applying, &memory, NOTHING, 1, "known unknown");
    // A change of tags alone, planned with the image's own files.
    check(applying, &built(0, None), OTHERS, 2, unseen);
    // Planned without a refresh: an update with nothing but content can only have been planned unknown.
    check(applying, &built(0, None), NOTHING, 2, "unknown unknown");
    // A witness of an earlier run, and a first plan without a refresh that is known to be one.
    check(Client { refreshed: false, ..TERRAFORM }, &memory, NOTHING, 2, "unknown unknown");
    check(Client { refreshed: false, ..OPENTOFU }, &memory, NOTHING, 2, error);
    // The witness is of the folder in state; configuration names another one now.
    check(applying, &memory, LOOK, 2, "unknown unknown");
}

#[test]
fn a_lock_makes_the_hash_of_a_new_image_known() {
    for client in [TERRAFORM, OPENTOFU] {
        let locked = Look { locked: true, ..look(0, false) };
        assert_eq!(words(decide(client, Evidence::Nothing, Some(&locked), None, None)), "known unknown");
        // What an earlier run saw says nothing then.
        let witness = Witness { tree: tree(1), hash: hash(1, false), found: None };
        let memory = built(0, Some(witness.clone()));
        let prior = Prior { hash: Some(hash(2, false)), memory: &memory, changed: OTHERS };
        let decision = decide(client, Evidence::Refreshed(&witness), Some(&locked), Some(&prior), None);
        assert_eq!(words(decision), "known unknown");
    }
}

#[test]
fn the_second_half_of_a_replacement_looks_for_itself() {
    // Core hands over as prior what the first half planned, which had no reason to ask for an image.
    let first = built(0, Some(Witness { tree: tree(0), hash: hash(0, false), found: None }));
    let rows =
        [(NEWER_TERRAFORM, "known known"), (TERRAFORM, "unknown unknown"), (OPENTOFU, "unknown unknown")];
    for (client, expected) in rows {
        let (evidence, look) = (evidence(client, None, &first, true), look(0, false));
        let found = (evidence == Evidence::Fresh).then(|| image(look.hash));
        assert_eq!(words(decide(client, evidence, Some(&look), None, found)), expected, "{client:?}");
    }
}

/// Plans, changes the world, plans again as core does during apply: what was known must stay, or the
/// second run fails with our own error. All combinations of everything that can differ.
#[test]
fn never_contradicts_itself() {
    let mut runs = 0;
    for case in cases() {
        let Some(first) = first_run(&case) else { continue };
        runs += 1;
        let Ok(second) = second_run(&case, &first) else {
            assert!(case.may_fail(), "fails without need: {case:?}");
            continue;
        };
        let (planned, final_plan) = (case.values(&first.decision), case.values(&second));
        assert!(kept(planned.0.as_ref(), final_plan.0.as_ref()), "source: {case:?}\n{first:?}\n{second:?}");
        assert!(kept(planned.1.as_ref(), final_plan.1.as_ref()), "digest: {case:?}\n{first:?}\n{second:?}");
        assert_eq!(first.decision.replace, second.replace, "{case:?}");
    }
    assert!(runs > 50_000, "only {runs} cases were run");
}

fn kept<T: PartialEq>(known: Option<&T>, later: Option<&T>) -> bool {
    known.is_none() || known == later
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, and all answers are tried")]
struct Case {
    client: Client,
    refresh: bool,
    state: Before,
    /// The files a witness of an earlier run saw.
    stale: Option<u8>,
    changed: Changed,
    /// An input that goes into the image is unknown in the first run.
    unknown: bool,
    /// The files may be made by the same apply.
    generated: bool,
    /// The configuration says which files the plan was made with.
    locked: bool,
    /// The files where state says, and where configuration says: in the first run and in the second.
    there: [u8; 2],
    here: [u8; 2],
    /// Whether the registry has an image of whatever is asked for, in each run.
    found: [bool; 2],
}

#[derive(Debug)]
struct FirstRun {
    decision: Decision,
    memory: Memory,
    planned: Memory,
}

fn cases() -> impl Iterator<Item = Case> {
    let bits = |n: u32, bit: u32| n >> bit & 1 == 1;
    let states = [Before::Nothing, Before::Imported, Before::Built];
    let clients = [TERRAFORM, NEWER_TERRAFORM, OPENTOFU];
    let files = [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]];
    let stale = [None, Some(1), Some(2)];
    (0..1024u32).flat_map(move |n| {
        let changed =
            Changed { repository: bits(n, 0), look: bits(n, 1), recipe: bits(n, 2), others: bits(n, 3) };
        let world = files.into_iter().flat_map(move |there| files.map(move |here| (there, here)));
        world.filter(move |(there, here)| changed.look || there == here).flat_map(move |(there, here)| {
            clients.into_iter().flat_map(move |client| {
                states.into_iter().flat_map(move |state| {
                    stale.into_iter().map(move |stale| Case {
                        client,
                        refresh: bits(n, 4),
                        state,
                        stale: stale.filter(|_| state == Before::Built),
                        changed,
                        unknown: bits(n, 5),
                        there,
                        here,
                        found: [bits(n, 6), bits(n, 7)],
                        generated: bits(n, 8),
                        locked: bits(n, 9),
                    })
                })
            })
        })
    })
}

impl Case {
    /// Files changed after the plan, or there was no refresh that could have seen how they were.
    fn may_fail(&self) -> bool {
        let edited = self.there[0] != self.there[1] || self.here[0] != self.here[1];
        let expected = self.generated && self.unknown && !self.changed.others;
        (edited && (!expected || self.locked)) || (!self.refresh && (self.stale.is_some() || self.unknown))
    }

    fn look(&self, run: usize) -> Look {
        Look { generated: self.generated, locked: self.locked, ..look(self.here[run], self.changed.recipe) }
    }

    fn found(&self, run: usize, hash: SourceHash) -> Option<Content> {
        self.found[run].then(|| image(hash))
    }

    /// What a decision means for `source_hash` and `digest`; `None` is unknown.
    fn values(&self, decision: &Decision) -> (Option<String>, Option<Digest>) {
        let source = match decision.source {
            Computed::Prior => Some(format!("of {:?}", self.state)),
            Computed::Known(hash) => Some(hash.to_string()),
            Computed::Unknown => None,
        };
        let content = match &decision.content {
            Computed::Prior => Some(Digest::of(b"the image in state")),
            Computed::Known(content) => Some(content.digest),
            Computed::Unknown => None,
        };
        (source, content)
    }

    /// Core plans no second time what it does not apply.
    fn applies(&self, decision: &Decision) -> bool {
        let same = decision.source == Computed::Prior && decision.content == Computed::Prior;
        !same || decision.replace || self.changed.others || self.changed.recipe
    }
}

fn first_run(case: &Case) -> Option<FirstRun> {
    let stale = case.stale.map(|content| Witness {
        tree: tree(content),
        hash: hash(content, false),
        found: case.found(0, hash(content, false)),
    });
    let mut memory = case.state.memory(stale);
    if case.refresh {
        let seen = look(case.there[0], false);
        let left = witness(memory.built.as_ref(), &seen, case.found(0, seen.hash));
        memory.witness = left.filter(|_| !case.client.stores_planned_private);
    }
    let client = Client { refreshed: case.refresh, ..case.client };
    let look = (!case.unknown).then(|| case.look(0));
    let prior = case.state.prior(&memory, case.changed);
    let evidence = evidence(client, None, &memory, prior.is_none());
    let found = look.as_ref().and_then(|look| case.found(0, look.hash));
    let decision = decide(client, evidence, look.as_ref(), prior.as_ref(), found.clone());
    if let Err(error) = &decision {
        assert!(!case.refresh, "a refreshed plan fails with {error:?}: {case:?}");
    }
    let decision = decision.ok().filter(|decision| case.applies(decision))?;
    let seen = look.map(|look| Witness { tree: look.tree, hash: look.hash, found });
    Some(FirstRun { decision, planned: Memory { witness: seen, ..Memory::default() }, memory })
}

fn second_run(case: &Case, first: &FirstRun) -> Result<Decision, FilesChanged> {
    let client = Client { surely_planning: false, refreshed: false, ..case.client };
    let planned = client.stores_planned_private.then_some(&first.planned);
    let prior = case.state.prior(&first.memory, case.changed);
    let evidence = evidence(client, planned, &first.memory, prior.is_none());
    let look = case.look(1);
    if case.locked && case.here[0] != case.here[1] {
        // What a plan says before it decides.
        return Err(FilesChanged { lines: Vec::new(), since: Since::Locked });
    }
    decide(client, evidence, Some(&look), prior.as_ref(), case.found(1, look.hash))
}
