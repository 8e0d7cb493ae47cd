//! What only newer Terraform can ask for, asked by its part played here: an action and a search.

use lab::aws::Keys;
use lab::programs::Programs;
use tfplugin_rs::testing::Core;
use tfplugin_rs::testing::wire::Host;
use tfplugin_rs::{Diagnostics, Value};
use tokio::runtime::Runtime;

use super::Policies;
use crate::stack::{Outcome, Stack};

/// Starts the provider with these keys, and asks it for something.
fn ask<F>(stack: &Stack, keys: &Keys, asked: impl FnOnce(Core) -> F) -> Outcome
where
    F: Future<Output = Result<String, Diagnostics>>,
{
    let host = Host::new(Programs::built().unwrap().provider);
    let host =
        stack.lab.environment(keys).into_iter().fold(host, |host, (name, value)| host.env(name, value));
    Runtime::new().unwrap().block_on(async {
        let client = host.start().await.unwrap().client().await.unwrap();
        let core = client.core();
        core.configure(Value::object([("region", Value::Null)])).await.unwrap();
        let said = asked(core).await;
        client.shutdown().await.unwrap();
        said.map_err(|errors| {
            let errors = errors.iter().map(|error| format!("{}\n{}", error.summary, error.detail));
            errors.collect::<Vec<_>>().join("\n")
        })
    })
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn suffice_for_actions_and_searches() {
    let (stack, policies) = (Stack::terraform(), Policies::listed());
    let [one, two, _] = stack.images();
    stack.there().put_index("all", &[(&one, "amd64"), (&two, "arm64")]);
    let repository = || ("repository", Value::from(stack.repository()));
    policies.check(
        "list ecr_tag",
        &[&|actions| {
            ask(&stack, &stack.who_may(actions), async |core| {
                let found = core.list("ecr_tag", Value::object([repository()]), false, None).await?;
                Ok(format!("{} tags", found.len()))
            })
        }],
    );
    policies.check(
        "ecr_prune",
        &[&|actions| {
            ask(&stack, &stack.who_may(actions), async |core| {
                let config = Value::object([repository(), ("keep", 1_u64.into())]);
                Ok(core.invoke("ecr_prune", config).await?.join("\n"))
            })
        }],
    );
    // The newest is an index, and what it names stays with it.
    assert_eq!((stack.tag("one"), stack.tag("three")), (Some(one), None));
}
