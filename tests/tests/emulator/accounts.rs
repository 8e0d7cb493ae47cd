//! From one account's registry to another's, which only a role of that account may push to.

use ecr_registry::{CopyOptions, NewRepository, Outcome, Reference, Registry, Repository, Settings, Tree};
use lab::ecr::Scope;
use lab::emulator::Options;

use crate::ours::{image, registry, repository, settings};
use crate::stage::start;

#[tokio::test]
async fn a_copy_to_another_account_is_made_by_the_role_for_it() {
    let [here, there] = [("123456789012", "eu-central-1"), ("210987654321", "eu-west-1")]
        .map(|(account, region)| Scope { account: account.to_owned(), region: region.to_owned() });
    let registries = vec![here, there.clone()];
    let ecr = start(Options { registries, ..Options::default() }, &["web"]).await;
    let web = repository(&ecr, "web");
    let pushed = image(&[b"one", b"two"]);
    registry(&ecr).push_tree(&web, &Tree::from(pushed.clone()), &["v1".parse().unwrap()], &()).await.unwrap();
    for action in ["InitiateLayerUpload", "PutImage", "CreateRepository"] {
        ecr.deny(&format!("ecr:{action}")); // from here on the user itself cannot push
    }

    let to: Repository = format!("{}/team/web", there.host()).parse().unwrap();
    let role = format!("arn:aws:iam::{}:role/push", there.account);
    let account_roles = [(there.account.clone(), role)].into();
    let with_role = Registry::new(Settings { account_roles, ..settings(&ecr) }).unwrap();
    with_role.ecr(&to).unwrap().create(&NewRepository::default()).await.unwrap();
    let options = CopyOptions { tags: vec!["v1".parse().unwrap()], ..CopyOptions::default() };
    let from: Reference = format!("{web}:v1").parse().unwrap();
    let error = registry(&ecr).copy(&from, &to, &options, &()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotAllowed);
    let report = with_role.copy(&from, &to, &options, &()).await.unwrap();

    assert_eq!((report.root.digest, report.pushed.sent.len()), (pushed.manifest.digest, 3));
    assert_eq!(ecr.contents_in(&there.host(), "team/web").tags["v1"], pushed.manifest.digest.to_string());
    assert_eq!(ecr.count("sts:AssumeRole"), 1);
    assert!(ecr.faults().is_empty());
}
