//! Who deploys with no more than the access policies of Amazon EKS grant, in one namespace.

use std::fs;

use lab::tool::Tool;

use crate::stage::{Stage, end};

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n\
                    - {apiGroups: [''], resources: [pods], verbs: [get]}\n";
/// All that Helm needs of Roles but `watch`, for a group, which may not hand out more than it has.
const GROUP: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployers}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get, list, create, patch, update, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployers}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: deployers}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployers}
";

/// Deploys a chart with a Role in it.
fn check(stage: &Stage, code: i32, said: &[&str]) -> String {
    let digest = stage.push("v1");
    let ended = end(stage.up(Tool::Helm4).args(["--image", &format!("image={}:v1", stage.repository)]));
    ended.expect(code, said);
    if code == 0 {
        assert_eq!(stage.running(), [digest]);
    }
    ended.err
}

fn with_role(stage: &Stage) -> &Stage {
    fs::write(stage.chart().join("templates/role.yaml"), ROLE).unwrap();
    stage
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_10_edit_deploys_and_may_not_hand_out_roles() {
    let stage = Stage::with_access("AmazonEKSEditPolicy", &[]);
    let said = check(&stage, 0, &["deployed as revision 1"]);
    assert!(!said.contains("watcher"), "{said}");
    let arn = stage.user.arn.clone();
    check(with_role(&stage), 4, &[&format!("{arn} may not do this in cluster"), "associate-access-policy"]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_10_admin_hands_out_roles() {
    let stage = Stage::with_access("AmazonEKSAdminPolicy", &[]);
    let said = check(with_role(&stage), 0, &["deployed as revision 1"]);
    assert!(!said.contains("watcher"), "{said}");
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_10_a_group_that_may_not_watch_waits_the_older_way() {
    let stage = Stage::with_access("AmazonEKSEditPolicy", &["deployers"]);
    stage.apply(GROUP);
    check(
        with_role(&stage),
        0,
        &["helm waits without its watcher: this identity may not watch roles", "deployed as revision 1"],
    );
}
