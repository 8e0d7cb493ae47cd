//! Permission bits as `--chmod` has them: octal digits, or what `chmod` takes.

use super::want::Stop;

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const ALL: u32 = 0o6777;

/// A change of permission bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// These, whatever there was.
    Bits(u32),
    /// Changes, one after the other.
    Changes(Vec<Change>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    operator: char,
    /// Bits of the classes that are changed.
    who: u32,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bits(u32),
    /// Execution, where that makes sense already.
    Execution,
    /// What this class has: 6 for the user, 3 for the group, 0 for others.
    Class(u32),
}

impl Mode {
    pub(super) fn parse(text: &str) -> Result<Self, Stop> {
        let wrong = || Stop::Wrong {
            message: format!("`{text}` are no permissions"),
            hint: Some("write octal digits (`755`), or changes (`u=rwX,go=rX`)".to_owned()),
        };
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return match u32::from_str_radix(text, 8) {
                Ok(bits) if bits <= 0o7777 => Ok(Self::Bits(bits)),
                _ => Err(wrong()),
            };
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            clause_changes(clause, &mut changes).ok_or_else(wrong)?;
        }
        Ok(Self::Changes(changes))
    }

    /// Of the folders on the way to a destination.
    pub(super) fn of_new_folders(&self) -> u32 {
        match self {
            Self::Bits(bits) => bits & 0o777,
            Self::Changes(_) => 0o755,
        }
    }

    pub(super) fn apply(&self, before: u32, is_folder: bool) -> u32 {
        let changes = match self {
            Self::Bits(bits) => return *bits,
            Self::Changes(changes) => changes,
        };
        let executable = is_folder || before & 0o111 != 0;
        changes.iter().fold(before, |mode, change| {
            let bits = change.who
                & match change.what {
                    What::Bits(bits) => bits,
                    What::Execution if executable => 0o111,
                    What::Execution => 0,
                    What::Class(shift) => ((mode >> shift) & 7) * 0o111,
                };
            match (change.operator, change.what) {
                ('-', _) => mode & !bits,
                ('=', What::Class(_)) => (mode & !(change.who & 0o777)) | bits,
                ('=', What::Bits(_)) => (mode & !change.who) | bits,
                _ => mode | bits,
            }
        })
    }
}

/// `u+x`, `go=`, `a+rX-w`: classes, then operators with what they change.
fn clause_changes(clause: &str, changes: &mut Vec<Change>) -> Option<()> {
    let start = clause.find(['+', '-', '='])?;
    let mut who = 0;
    for class in clause[..start].chars() {
        who |= match class {
            'u' => SET_USER | 0o700,
            'g' => SET_GROUP | 0o070,
            'o' => 0o007,
            'a' => ALL,
            _ => return None,
        };
    }
    let mut rest = &clause[start..];
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |end| end + 1);
        operation(operator, who, &rest[1..end], changes)?;
        rest = &rest[end..];
    }
    Some(())
}

fn operation(operator: char, who: u32, letters: &str, changes: &mut Vec<Change>) -> Option<()> {
    let special = who == 0 || who & !0o007 != 0;
    let (mut bits, mut execution, mut class) = (0, false, None);
    let mut who = if who == 0 { ALL } else { who };
    for letter in letters.chars() {
        match letter {
            'r' => bits |= 0o444,
            'w' => bits |= 0o222,
            'x' => bits |= 0o111,
            'X' if operator == '-' => bits |= 0o111,
            'X' => execution = true,
            's' if special => bits |= SET_USER | SET_GROUP,
            't' if special => {
                who |= STICKY;
                bits |= STICKY;
            }
            's' | 't' => {}
            'u' => class = Some(6),
            'g' => class = Some(3),
            'o' => class = Some(0),
            _ => return None,
        }
    }
    if bits != 0 || (operator == '=' && class.is_none()) {
        changes.push(Change { operator, who, what: What::Bits(bits) });
    }
    if execution {
        changes.push(Change { operator: '+', who, what: What::Execution });
    }
    changes.extend(class.map(|class| Change { operator, who, what: What::Class(class) }));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_permissions_as_chmod_does() {
        let check = |text: &str, before: u32, is_folder: bool, expected: u32| {
            let after = Mode::parse(text).unwrap().apply(before, is_folder);
            assert_eq!(after, expected, "{text} on {before:o}: {after:o}");
        };
        check("644", 0o755, false, 0o644);
        check("4755", 0o644, false, 0o4755);
        check("u+x", 0o644, false, 0o744);
        check("+x", 0o644, false, 0o755);
        check("go-rwx", 0o755, true, 0o700);
        check("u=rwX,go=rX", 0o600, false, 0o644);
        check("u=rwX,go=rX", 0o700, false, 0o755);
        check("u=rwX,go=rX", 0o600, true, 0o755);
        check("a=", 0o777, false, 0);
        check("g=u", 0o640, false, 0o660);
        check("go=u-w", 0o644, false, 0o644);
        check("o+u", 0o750, false, 0o757);
        check("u+s,g+s", 0o755, false, 0o6755);
        check("+t", 0o755, true, 0o1755);
        check("o+t", 0o755, true, 0o755);
        check("a-X", 0o755, false, 0o644);
        for text in ["888", "17777", "rwx", "u!x", "u+q", "", "u+x,", "7x"] {
            assert!(matches!(Mode::parse(text), Err(Stop::Wrong { .. })), "{text}");
        }
    }
}
