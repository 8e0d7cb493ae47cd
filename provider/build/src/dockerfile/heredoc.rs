//! Here-documents: text between a line with `<<EOF` and a line `EOF`.

use super::{error::ExpansionError, lex::Lex};

/// One here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, and the name of the file it makes.
    pub name: String,
    /// Whether variables count in it: its name was not quoted.
    pub expand: bool,
    /// Whether tabs at the beginning of lines are no part of it: `<<-`.
    pub chomp: bool,
    /// As it is written.
    pub content: String,
}

impl Heredoc {
    /// What goes into the file, before variables.
    pub fn text(&self) -> String {
        if !self.chomp {
            return self.content.clone();
        }
        self.content.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
    }
}

/// The here-documents that a line begins, without content.
pub(crate) fn of_line(line: &str) -> Result<Vec<Heredoc>, ExpansionError> {
    // As in BuildKit: a line of words that cannot be read begins none.
    let words = Lex::of_heredocs(true, true).words(line).unwrap_or_default();
    words.iter().filter_map(|word| of_word(word).transpose()).collect()
}

/// The here-document that a word begins: digits, `<<`, and a name.
pub(crate) fn of_word(word: &str) -> Result<Option<Heredoc>, ExpansionError> {
    let Some(rest) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else {
        return Ok(None);
    };
    let (rest, chomp) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let name = rest.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let words = Lex::of_heredocs(false, false).words(name)?;
    let [word] = &words[..] else { return Ok(None) };
    let raw = Lex::of_heredocs(true, false).words(name)?;
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    let expand = raw.first().is_none_or(|raw| quotes(raw) == quotes(word));
    Ok(Some(Heredoc { name: word.clone(), expand, chomp, content: String::new() }))
}
