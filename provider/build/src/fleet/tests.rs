use super::*;

fn platforms(names: &[&str]) -> Vec<Platform> {
    names.iter().map(|name| format!("linux/{name}").parse().unwrap()).collect()
}

/// Builders by what they say they build for and how many builds they have; in the order they are tried.
fn chosen(builders: &[(&[&str], usize)], platform: &str, key: &str) -> Vec<usize> {
    let said: Vec<_> = builders.iter().map(|(names, _)| platforms(names)).collect();
    let candidates: Vec<_> = builders
        .iter()
        .zip(&said)
        .enumerate()
        .map(|(place, ((_, running), said))| {
            let address = format!("tcp://builder-{place}:1234");
            Candidate { place, address, platforms: Offered::Said(said), running: *running }
        })
        .collect();
    order(&candidates, &platforms(&[platform])[0], &Digest::of(key.as_bytes()))
}

#[test]
fn the_native_builder_comes_first_and_others_not_at_all() {
    let builders: [(&[&str], usize); 4] =
        [(&["amd64", "arm64"], 0), (&["arm64"], 9), (&["amd64"], 0), (&[], 0)];
    assert_eq!(chosen(&builders, "arm64", "web")[0], 1);
    assert_eq!(chosen(&builders, "arm64", "web").len(), 3);
    assert_eq!(chosen(&builders, "riscv64", "web"), [3]);
    assert_eq!(chosen(&[], "amd64", "web"), [0; 0]);
}

#[test]
fn the_same_image_goes_to_the_same_builder_until_that_is_busy() {
    let idle: [(&[&str], usize); 3] = [(&["amd64"], 0), (&["amd64"], 0), (&["amd64"], 0)];
    let firsts: std::collections::BTreeSet<usize> =
        (0..50).map(|image| chosen(&idle, "amd64", &format!("image-{image}"))[0]).collect();
    assert_eq!(firsts.len(), 3, "images are spread");
    let order = chosen(&idle, "amd64", "web");
    let with = |running: usize| {
        let mut builders = idle;
        builders[order[0]].1 = running;
        chosen(&builders, "amd64", "web")
    };
    assert_eq!(with(SLACK), order);
    assert_eq!(with(SLACK + 1), [order[1], order[2], order[0]]);
}

#[test]
fn what_is_configured_stands_above_what_is_said() {
    let (said, given) = (platforms(&["amd64", "arm64"]), platforms(&["amd64"]));
    let arm64 = &platforms(&["arm64"])[0];
    assert_eq!(Offered::Said(&said).imitates(arm64), Some(true));
    assert_eq!(Offered::Given(&given).imitates(arm64), None);
}

#[tokio::test]
async fn builders_that_do_not_answer_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let tls = None;
    let endpoint = Endpoint { address: Address::Unix(socket.clone()), platforms: Vec::new(), tls };
    let fleet = Fleet::new(vec![endpoint]);
    let key = Digest::of(b"web");
    let error = fleet.choose(&Platform::linux_amd64(), &key).await.err().unwrap();
    let message = format!(
        "no builder for linux/amd64 answers (tried unix://{}: No such file or directory (os error 2))",
        socket.display()
    );
    assert_eq!(error.to_string(), message);
}
