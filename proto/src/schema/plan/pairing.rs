//! Which element of a set before goes on as which configured one.

use super::{Attribute, Members, Nesting, Value, element, steps};

impl Members<'_> {
    /// The state with the elements of all its sets in the order of the configuration: each the one that
    /// the configuration would leave as it is, or null; behind them those that do not go on.
    ///
    /// An element's partner depends on nothing but the element: it is the same when more is known of the others.
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
        let partner = |one: &Value| before.iter().position(|prior| self.keeps(prior, one));
        let partners: Vec<_> = configured.iter().map(partner).collect();
        let paired = partners
            .iter()
            .zip(configured)
            .map(|(partner, one)| partner.map_or(Value::Null, |at| self.paired(&before[at], one)));
        let rest = (0..before.len()).filter(|at| !partners.contains(&Some(*at))).map(|at| before[at].clone());
        Value::list(paired.chain(rest))
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
        let all = |one: &[Value], keeps: &dyn Fn(&Value) -> bool| one.iter().all(keeps);
        match (nesting, prior, config) {
            (Nesting::Single, ..) => self.keeps(prior, config),
            (Nesting::Set, Value::List(before), Value::List(configured)) => {
                all(configured, &|one| before.iter().any(|prior| self.keeps(prior, one)))
                    && all(before, &|prior| configured.iter().any(|one| self.keeps(prior, one)))
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
            None => self.means_the_same(prior, config),
        }
    }
}
