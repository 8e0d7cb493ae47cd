//! The tables of inputs and outputs in the README of a Terraform module, made from its `variables.tf` and `outputs.tf`.
//!
//! What stands between the two marks is ours, everything else the writer's. Knows no module by name and runs no program.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hcl::{Block, Body, Expression};

const BEGIN: &str =
    "<!-- made from variables.tf and outputs.tf by UPDATE_GOLDEN=1 cargo xtask test --only modules -->\n";
const END: &str = "<!-- end -->\n";

/// Compares the module's README with its files; with `UPDATE_GOLDEN=1` writes it anew.
///
/// # Errors
/// When it is stale, has no marks, or an input or output does not say what it is.
pub(super) fn check(module: &Path) -> Result<()> {
    let path = module.join("README.md");
    let readme = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let read = |file: &str| -> Result<String> { Ok(fs::read_to_string(module.join(file))?) };
    let tables = tables(&read("variables.tf")?, &read("outputs.tf")?)
        .with_context(|| format!("cannot describe `{}`", module.display()))?;
    let wanted = replaced(&readme, &tables)
        .with_context(|| format!("`{}` has no place for its tables", path.display()))?;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, wanted).with_context(|| format!("cannot write `{}`", path.display()));
    }
    ensure!(
        readme == wanted,
        "`{}` is stale: UPDATE_GOLDEN=1 cargo xtask test --only modules",
        path.display()
    );
    Ok(())
}

/// The text with these tables between the marks.
fn replaced(readme: &str, tables: &str) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).with_context(|| format!("a line is missing: {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("a line is missing: {END}"))?;
    Ok(format!("{before}{BEGIN}{tables}{END}{after}"))
}

fn tables(variables: &str, outputs: &str) -> Result<String> {
    let mut text = "| input | type | default | |\n| --- | --- | --- | --- |\n".to_owned();
    for block in blocks(variables, "variable")? {
        let name = name(&block)?;
        let attribute = |key| attribute(&block, key);
        let kind = attribute("type").with_context(|| format!("`{name}` has no type"))?;
        let default = attribute("default").map_or_else(String::new, |value| format!("`{}`", one_line(value)));
        writeln!(text, "| `{name}` | {} | {default} | {} |", kind_of(kind), described(&block)?)?;
    }
    text.push_str("\n| output | |\n| --- | --- |\n");
    for block in blocks(outputs, "output")? {
        writeln!(text, "| `{}` | {} |", name(&block)?, described(&block)?)?;
    }
    Ok(text)
}

fn blocks(text: &str, kind: &str) -> Result<Vec<Block>> {
    let body: Body = hcl::parse(text)?;
    Ok(body.into_blocks().filter(|block| block.identifier() == kind).collect())
}

fn name(block: &Block) -> Result<&str> {
    Ok(block.labels().first().with_context(|| format!("a {} has no name", block.identifier()))?.as_str())
}

fn attribute<'a>(block: &'a Block, key: &str) -> Option<&'a Expression> {
    block.body().attributes().find(|attribute| attribute.key() == key).map(hcl::Attribute::expr)
}

/// The description as a cell: a line of a list begins on a new line.
fn described(block: &Block) -> Result<String> {
    let name = name(block)?;
    let text = attribute(block, "description").with_context(|| format!("`{name}` has no description"))?;
    let text = match text {
        Expression::String(text) => text.clone(),
        Expression::TemplateExpr(template) => template.to_string(),
        other => anyhow::bail!("the description of `{name}` is no text: {other}"),
    };
    // Of a heredoc the first line and the last are its marks.
    let lines = text.lines().filter(|line| !line.starts_with("<<") && line.trim() != "EOT").map(str::trim);
    let cell = lines.collect::<Vec<_>>().join("<br>").replace("<br>- ", "<br>");
    ensure!(!cell.is_empty(), "`{name}` has no description");
    Ok(cell.replace('|', "\\|"))
}

/// The type without what is inside objects, which the description says in words.
fn kind_of(kind: &Expression) -> String {
    match kind {
        Expression::FuncCall(call) if call.name.name.as_str() == "object" => "object".to_owned(),
        Expression::FuncCall(call) => {
            let inner: Vec<_> = call.args.iter().map(kind_of).collect();
            format!("{}({})", call.name, inner.join(", "))
        }
        other => other.to_string(),
    }
}

fn one_line(value: &Expression) -> String {
    let text = value.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|").replace("[ ", "[").replace(" ]", "]").replace(", ]", "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_becomes_a_row() {
        let check = |variable: &str, row: &str| {
            let tables = tables(&format!("variable \"x\" {{\n{variable}\n}}\n"), "").unwrap();
            assert_eq!(tables.lines().nth(2), Some(row));
        };
        check("description = \"Its name.\"\ntype = string", "| `x` | string |  | Its name. |");
        check(
            "description = \"A | b.\"\ntype = string\ndefault = null",
            "| `x` | string | `null` | A \\| b. |",
        );
        check(
            "description = \"All.\"\ntype = list(string)\ndefault = [\"a\", \"b\"]",
            "| `x` | list(string) | `[\"a\", \"b\"]` | All. |",
        );
        check(
            "description = <<-EOT\n  Who:\n  - `arn`: its ARN.\nEOT\ntype = map(object({ arn = optional(string) }))\ndefault = {}",
            "| `x` | map(object) | `{}` | Who:<br>`arn`: its ARN. |",
        );
    }

    #[test]
    fn what_does_not_say_what_it_is_is_an_error() {
        let check = |variable: &str, expected: &str| {
            let error = tables(&format!("variable \"x\" {{\n{variable}\n}}\n"), "").unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check("type = string", "`x` has no description");
        check("type = string\ndescription = \"\"", "`x` has no description");
        check("description = \"Its name.\"", "`x` has no type");
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let readme = format!("# ecr\n\n{BEGIN}old\n{END}\nNotes.\n");
        let expected = format!("# ecr\n\n{BEGIN}new\n{END}\nNotes.\n");
        assert_eq!(replaced(&readme, "new\n").unwrap(), expected);
        assert!(replaced("# ecr\n", "new\n").is_err());
    }
}
