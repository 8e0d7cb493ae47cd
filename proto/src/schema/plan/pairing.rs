//! Which element of a set before goes on as which configured one.

use super::{Attribute, Members, Nesting, Value, element, steps};

impl Members<'_> {
    /// The state with the elements of all its sets in the order of the configuration: each the one that
    /// the configuration leaves as it is, or null; behind them those that do not go on.
    pub(super) fn paired(self, prior: &Value, config: &Value) -> Value {
        let (Value::Map(members), Value::Map(_)) = (prior, config) else { return prior.clone() };
        let mut members = members.clone();
        for (name, nesting, of) in self.nested() {
            if let Some(value) = members.get_mut(name) {
                *value = of.pair_all(nesting, value, config.get(name));
            }
        }
        Value::Map(members)
    }

    fn pair_all(self, nesting: Nesting, prior: &Value, config: &Value) -> Value {
        match (nesting, prior, config) {
            (Nesting::Single, ..) => self.paired(prior, config),
            (Nesting::Set, Value::List(before), Value::List(configured)) => self.pair_set(before, configured),
            (_, Value::List(before), _) => Value::list(
                steps(prior).iter().zip(before).map(|(step, one)| self.paired(one, element(config, step))),
            ),
            (_, Value::Map(before), _) => {
                Value::object(before.iter().map(|(key, one)| (key, self.paired(one, config.get(key)))))
            }
            _ => prior.clone(),
        }
    }

    fn pair_set(self, before: &[Value], configured: &[Value]) -> Value {
        let partners = self.partners(before, configured);
        let paired = partners
            .iter()
            .zip(configured)
            .map(|(partner, one)| partner.map_or(Value::Null, |at| self.paired(&before[at], one)));
        let rest = (0..before.len()).filter(|at| !partners.contains(&Some(*at))).map(|at| before[at].clone());
        Value::list(paired.chain(rest))
    }

    /// For each configured element the one before that it leaves as it is. Several may have the same
    /// one, if there are not enough: they become equal then.
    ///
    /// Who has several to choose from waits until all are known. Else an element that becomes known
    /// later would take away what this one was planned to be.
    fn partners(self, before: &[Value], configured: &[Value]) -> Vec<Option<usize>> {
        let kept = |one: &Value| (0..before.len()).filter(|at| self.keeps(&before[*at], one)).collect();
        let candidates: Vec<Vec<usize>> = configured.iter().map(kept).collect();
        if !configured.iter().all(Value::is_wholly_known) {
            let only =
                |candidates: &Vec<usize>| candidates.first().copied().filter(|_| candidates.len() == 1);
            return candidates.iter().map(only).collect();
        }
        let mut taken = vec![None; before.len()];
        for one in 0..configured.len() {
            take(one, &candidates, &mut taken, &mut vec![false; before.len()]);
        }
        let partner = |one: usize| {
            taken.iter().position(|by| *by == Some(one)).or_else(|| candidates[one].first().copied())
        };
        (0..configured.len()).map(partner).collect()
    }

    /// Whether configuration leaves an object as it was.
    fn keeps(self, prior: &Value, config: &Value) -> bool {
        if prior.as_map().is_none() || config.as_map().is_none() {
            return prior.is_null() && config.is_null();
        }
        self.attributes.iter().all(|one| one.keeps(prior.get(one.name()), config.get(one.name())))
            && self.blocks.iter().all(|block| {
                let (nesting, members) = block.parts();
                members.keeps_all(nesting, prior.get(block.name()), config.get(block.name()))
            })
    }

    fn keeps_all(self, nesting: Nesting, prior: &Value, config: &Value) -> bool {
        match (nesting, prior, config) {
            (Nesting::Single, ..) => self.keeps(prior, config),
            (Nesting::Set, Value::List(before), Value::List(configured)) => {
                let partners = self.partners(before, configured);
                partners.iter().all(Option::is_some)
                    && (0..before.len()).all(|at| partners.contains(&Some(at)))
            }
            (_, Value::List(_) | Value::Map(_), Value::List(_) | Value::Map(_)) => {
                let steps = steps(config);
                steps == self::steps(prior)
                    && steps.iter().all(|step| self.keeps(element(prior, step), element(config, step)))
            }
            _ => prior == config,
        }
    }
}

impl Attribute {
    fn keeps(&self, prior: &Value, config: &Value) -> bool {
        match self.nested() {
            _ if self.is_write_only() => true,
            _ if config.is_null() => match &self.behaviour.default {
                Some(default) => prior == default,
                None => self.is_computed() || prior.is_null(),
            },
            Some((nesting, members)) => members.keeps_all(nesting, prior, config),
            None => prior == config,
        }
    }
}

/// Finds a candidate for one element; who has it already takes another one, if there is one.
fn take(one: usize, candidates: &[Vec<usize>], taken: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    for &at in &candidates[one] {
        if std::mem::replace(&mut asked[at], true) {
            continue;
        }
        if taken[at].is_none_or(|other| take(other, candidates, taken, asked)) {
            taken[at] = Some(one);
            return true;
        }
    }
    false
}
