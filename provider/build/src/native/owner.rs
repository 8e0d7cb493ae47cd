//! Owners as `--chown` and `USER` have them: numbers, or names in the image's own lists.

use super::want::Stop;

/// Owner and group, by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u64,
    pub(super) gid: u64,
}

/// The most of a list of users or groups that is read, in bytes.
pub(super) const LONGEST_LIST: u64 = 10 << 20;

/// A user, and a group if there is one, by what the image's own lists say. Who is not in them is root, as in `BuildKit`.
///
/// `list` gives the content of a file of the image, if it is there.
pub(super) fn of(text: &str, list: impl Fn(&str) -> Result<Option<Vec<u8>>, Stop>) -> Result<Owner, Stop> {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let mut owner = if let Ok(id) = user.parse::<u32>() {
        Owner { uid: id.into(), gid: id.into() }
    } else {
        let users = list("etc/passwd")?.unwrap_or_default();
        let found = fields(&users, user);
        let ids = found.and_then(|fields| Some((number(fields.get(2)?)?, number(fields.get(3)?)?)));
        ids.map_or_else(Owner::default, |(uid, gid)| Owner { uid, gid })
    };
    match group.map(str::parse::<u32>) {
        None => {}
        Some(Ok(id)) => owner.gid = id.into(),
        Some(Err(_)) => {
            let groups = list("etc/group")?.unwrap_or_default();
            let id = fields(&groups, group.unwrap_or_default()).and_then(|fields| number(fields.get(2)?));
            owner.gid = id.unwrap_or(owner.gid);
        }
    }
    Ok(owner)
}

/// Whether the lists are needed. Everybody knows who root is.
pub(super) fn is_by_name(text: &str) -> bool {
    text.split(':').any(|part| part != "root" && part.parse::<u32>().is_err())
}

/// The first line that begins with this name.
fn fields(list: &[u8], name: &str) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(list);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut found =
        lines.map(|line| line.split(':').map(|field| field.trim().to_owned()).collect::<Vec<_>>());
    found.find(|fields| fields.first().is_some_and(|first| first == name))
}

fn number(text: &str) -> Option<u64> {
    text.parse::<u32>().ok().map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_owners() {
        let list = |path: &str| {
            Ok(Some(match path {
                "etc/passwd" => {
                    b"# users\nroot:x:0:0:root:/root:/bin/sh\nweb:x:101:102::/:\nodd:x:a:b\n".to_vec()
                }
                _ => b"root:x:0:\nstaff:x:50:web\n".to_vec(),
            }))
        };
        let check = |text: &str, uid: u64, gid: u64| {
            assert_eq!(of(text, list).unwrap(), Owner { uid, gid }, "{text}");
        };
        check("0", 0, 0);
        check("7", 7, 7);
        check("7:8", 7, 8);
        check("web", 101, 102);
        check("web:9", 101, 9);
        check("web:staff", 101, 50);
        check("7:staff", 7, 50);
        check("web:nobody", 101, 102);
        check("nobody", 0, 0);
        check("odd", 0, 0);
        assert_eq!(of("web", |_| Ok(None)).unwrap(), Owner::default());
        assert!(is_by_name("1:staff") && !is_by_name("1:2"));
    }
}
