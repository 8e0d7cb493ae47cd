//! The provider's settings, as users of hashicorp/aws type them.

use serde_json::json;

use crate::stack::{FILES, Stack};

pub(crate) fn are_as_in_aws(stack: &Stack) {
    let root = stack.lab.root();
    let caller = root.create_admin(&stack.lab.unique("admin")).unwrap();
    let rights = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    let trust = json!({ "AWS": "*" });
    let [first, second] =
        ["first", "second"].map(|name| root.create_role(&stack.lab.unique(name), &trust, &rights).unwrap());
    let provider = |account: &str| {
        let front = stack.lab.front();
        stack.file(
            "provider.tf",
            &format!(
                r#"provider "ecr" {{
  region              = "us-east-1"
  access_key          = "{}"
  secret_key          = "{}"
  allowed_account_ids = ["{account}"]
  max_retries         = 3
  retry_mode          = "standard"
  default_labels      = {{ team = "shop" }}
  source_tag          = {{ prefix = "from-" }}
  upload_concurrency  = 4
  endpoints {{
    ecr = "http://{front}"
    sts = "http://{front}"
  }}
  assume_role {{
    role_arn     = "{first}"
    session_name = "first"
    duration     = "15m"
  }}
  assume_role {{
    role_arn = "{second}"
  }}
}}
"#,
                caller.keys.id, caller.keys.secret
            ),
        );
    };
    provider("000000000000");
    // A name in the provider's own account and region.
    stack.image_in(&stack.name, &format!("  tags = [\"latest\"]\n{FILES}"));
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    let source = stack.output("hash").replace(':', "-");
    assert_eq!(stack.tag(&format!("from-{source}")), Some(stack.digest()));
    stack.plans_nothing(&[]);
    // The same with its registry is the same repository; only its text changes.
    stack.image_in(&stack.repository(), &format!("  tags = [\"latest\"]\n{FILES}"));
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to change, 0 to destroy"), "{plan}");

    provider("123456789012");
    let error = stack.plan(&[]).unwrap_err();
    assert!(error.contains("of account 000000000000, which is not one of allowed_account_ids"), "{error}");
}
