//! Images as lines for a person.

use super::uses::ImageUse;

/// One line per place, in columns; images without a digest are marked.
pub(crate) fn text(images: &[ImageUse]) -> String {
    let rows: Vec<[String; 3]> = images
        .iter()
        .map(|used| {
            let pinned = if used.digest().is_some() { "pinned" } else { "NOT PINNED" };
            [used.object.to_string(), pinned.to_owned(), used.image.clone()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    let line =
        |[object, pinned, image]: &[String; 3]| format!("{object:first$}  {pinned:second$}  {image}\n");
    rows.iter().map(line).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::uses::Object;

    #[test]
    fn columns() {
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let used = |kind: &str, image: &str| ImageUse {
            image: image.to_owned(),
            object: Object { kind: kind.to_owned(), name: "web".to_owned(), events: vec![] },
            path: String::new(),
        };
        let images = [used("Deployment", &format!("r.example/a@{digest}")), used("Job", "{{ odd }}")];
        let expected = format!(
            "Deployment/web  pinned      r.example/a@{digest}\nJob/web         NOT PINNED  {{{{ odd }}}}\n"
        );
        assert_eq!(text(&images), expected);
        assert_eq!(text(&[]), "");
    }
}
