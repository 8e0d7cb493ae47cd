//! Where scalars stand in the text of a YAML document.

use std::{collections::BTreeMap, ops::Range};

use saphyr_parser::{Event, Parser, ScanError};

use crate::images::values_path::ValuesPath;

/// How deep scalars are looked for: deeper than any manifest.
const DEEPEST: usize = 64;

/// The scalars of the first document that are wanted, by their place, as ranges of bytes. Of a repeated key the last
/// one counts; what an alias repeats stands at its anchor only.
pub(super) fn scalars(
    text: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<ValuesPath, Range<usize>>, ScanError> {
    // The parser counts characters. No image has any but ASCII's, and nothing else is of interest.
    let ascii: String =
        text.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { 'x' }).collect();
    let mut parser = Parser::new_from_str(&ascii);
    let mut found = BTreeMap::new();
    let mut stack = Stack::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event?;
        match event {
            Event::Scalar(value, ..) => {
                if let Some(at) = stack.scalar(&value)
                    && wanted(&value)
                {
                    found.insert(at, span.start.index()..span.end.index());
                }
            }
            Event::Alias(_) => drop(stack.scalar(UNNAMED)),
            Event::MappingStart(..) => stack.begin(Inside::Map { key: None }),
            Event::SequenceStart(..) => stack.begin(Inside::List { next: 0 }),
            Event::MappingEnd | Event::SequenceEnd => stack.end(),
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
    }
    Ok(found)
}

/// The name of a key that is no text.
const UNNAMED: &str = "\0";

/// The collections around the next node.
#[derive(Default)]
struct Stack(Vec<Inside>);

enum Inside {
    /// A map, whose key has been read and whose value has not.
    Map { key: Option<String> },
    /// A list, with this many items read.
    List { next: usize },
}

impl Stack {
    /// Takes in a scalar; its place, unless it is a key.
    fn scalar(&mut self, value: &str) -> Option<ValuesPath> {
        if let Some(Inside::Map { key: key @ None }) = self.0.last_mut() {
            *key = Some(value.to_owned());
            return None;
        }
        let at = (self.0.len() <= DEEPEST).then(|| self.path());
        self.finish();
        at
    }

    fn begin(&mut self, inside: Inside) {
        self.0.push(inside);
    }

    fn end(&mut self) {
        self.0.pop();
        self.finish();
    }

    /// A node has ended: what comes next is another one.
    fn finish(&mut self) {
        match self.0.last_mut() {
            // A collection as a key.
            Some(Inside::Map { key: key @ None }) => *key = Some(UNNAMED.to_owned()),
            Some(Inside::Map { key }) => *key = None,
            Some(Inside::List { next }) => *next += 1,
            None => {}
        }
    }

    fn path(&self) -> ValuesPath {
        self.0.iter().fold(ValuesPath::root(), |path, inside| match inside {
            Inside::Map { key } => path.key(key.as_deref().unwrap_or(UNNAMED)),
            Inside::List { next } => path.index(*next),
        })
    }
}
