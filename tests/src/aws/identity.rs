//! Callers of a test: IAM users with real policies, because MiniStack's root is bound by none.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Aws, Keys, element};

/// An IAM user with access keys.
#[derive(Debug, Clone)]
pub struct User {
    /// Its ARN.
    pub arn: String,
    /// Its keys.
    pub keys: Keys,
}

impl Aws {
    /// Creates a user who may do everything.
    pub fn create_admin(&self, name: &str) -> Result<User> {
        self.create_user(name, &json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
    }

    /// Creates a user with these policy statements.
    pub fn create_user(&self, name: &str, statements: &Value) -> Result<User> {
        let user = self.query("iam", "CreateUser", &[("UserName", name)])?;
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let inline = [("UserName", name), ("PolicyName", "lab"), ("PolicyDocument", policy.as_str())];
        self.query("iam", "PutUserPolicy", &inline)?;
        let keys = self.query("iam", "CreateAccessKey", &[("UserName", name)])?;
        Ok(User {
            arn: element(&user, "Arn")?.to_owned(),
            keys: Keys {
                id: element(&keys, "AccessKeyId")?.to_owned(),
                secret: element(&keys, "SecretAccessKey")?.to_owned(),
            },
        })
    }

    /// Creates a role that this AWS service or this account's users may assume, and gives its ARN.
    pub fn create_role(&self, name: &str, principal: &Value, statements: &Value) -> Result<String> {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]});
        let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
        let role = self.query("iam", "CreateRole", &parameters)?;
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let inline = [("RoleName", name), ("PolicyName", "lab"), ("PolicyDocument", policy.as_str())];
        self.query("iam", "PutRolePolicy", &inline)?;
        Ok(element(&role, "Arn")?.to_owned())
    }
}
