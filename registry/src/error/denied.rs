use std::fmt;

use super::after;

/// A refusal, with what the service said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    /// The service's words.
    pub message: String,
    /// The permission that is missing, `ecr:PutImage`.
    pub action: Option<String>,
    /// Who is missing it, an ARN.
    pub principal: Option<String>,
    /// On what, an ARN.
    pub resource: Option<String>,
}

impl Denied {
    /// Takes action and ARNs out of the service's sentence:
    /// `User: ARN is not authorized to perform: ACTION on resource: ARN because …`.
    pub fn parse(message: &str) -> Self {
        let word_after = |mark: &str| {
            let (_, rest) = message.split_once(mark)?;
            let word = rest.split_whitespace().next()?.trim_end_matches([',', '.', ';']);
            (!word.is_empty()).then(|| word.to_owned())
        };
        Self {
            message: message.to_owned(),
            action: word_after("not authorized to perform:"),
            principal: word_after("User:"),
            resource: word_after("on resource:"),
        }
    }
}

impl std::error::Error for Denied {}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "not allowed: {action} is missing{}", after(&self.message)),
            None => write!(f, "not allowed{}", after(&self.message)),
        }
    }
}

impl Denied {
    pub(super) fn hint(&self) -> String {
        let Some(action) = &self.action else {
            return "use credentials that may do this, or have them allowed to".to_owned();
        };
        let principal = self.principal.as_deref().unwrap_or("the identity in use");
        let resource = self.resource.as_deref().unwrap_or("the repository");
        format!("allow {action} on {resource} to {principal}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_action_and_arn() {
        let check = |message: &str, expected: &str| {
            assert_eq!(Denied::parse(message).hint(), expected, "{message}");
        };
        let anybody = "use credentials that may do this, or have them allowed to";
        check(
            "User: arn:aws:iam::1:user/a is not authorized to perform: ecr:PutImage on resource: \
             arn:aws:ecr:r:1:repository/web because no policy allows it",
            "allow ecr:PutImage on arn:aws:ecr:r:1:repository/web to arn:aws:iam::1:user/a",
        );
        check(
            "not authorized to perform: ecr:PutImage",
            "allow ecr:PutImage on the repository to the identity in use",
        );
        check("not authorized to perform:", anybody);
        check("no", anybody);
        check("", anybody);
    }
}
