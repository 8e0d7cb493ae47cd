//! A chart of a hundred images takes two dry runs, and no more calls than there are repositories, many at a time.

use std::time::Duration;

use lab::bench::helm::resolve::{Hundred, IMAGES, Spread};
use lab::fault::{Proxy, Schedule};
use lab::programs::Programs;

use crate::stage::end;

/// The calls to the registry, and the connections that they came by.
fn resolved(spread: Spread, delay: Duration) -> (usize, usize) {
    let hundred = Hundred::set(spread, delay).unwrap();
    let quiet = Schedule::default();
    let proxy = hundred.runtime.block_on(Proxy::start(hundred.ecr.address(), &quiet)).unwrap();
    let plugin = Programs::built().unwrap().plugin;
    let ended = end(&mut hundred.command(&plugin, &format!("http://{}", proxy.address())));
    ended.expect(0, &[]);
    assert_eq!(ended.out.matches("@sha256:").count(), IMAGES, "{}", ended.out);
    let connections = proxy.traffic().connections;
    let calls = hundred.calls_of_helm().unwrap();
    let reads = ["version ", "upgrade --install ", "upgrade --install "];
    assert!(
        calls.len() == 3 && calls.iter().zip(reads).all(|(call, verb)| call.starts_with(verb)),
        "{calls:#?}"
    );
    assert!(calls[1..].iter().all(|call| call.contains(" --dry-run=server ")), "{calls:#?}");
    let calls = hundred.ecr.take_log();
    assert!(calls.iter().all(|call| call.starts_with("ecr:BatchGetImage ")), "{calls:?}");
    (calls.len(), connections)
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_1_two_dry_runs_and_a_call_for_each_repository() {
    assert_eq!(resolved(Spread::One, Duration::ZERO).0, 1);
    let (calls, connections) = resolved(Spread::Hundred, Duration::from_millis(200));
    assert_eq!(calls, 100);
    // One after another they would share one.
    assert!(connections >= 8, "{connections}");
}
