//! What a `files_file` may have been before a `moved` block: other resources that stand for a file.

use tfplugin_rs::MoveRequest;

use crate::file::File;
use crate::folder::Found;

/// The file that the other resource stood for, if it is one of those known here.
pub(crate) fn file(request: &MoveRequest) -> Option<File> {
    let (old, path) = match request.source_type.as_str() {
        "terraform_data" => (&request.state["input"]["value"], "path"),
        "local_file" => (&request.state, "filename"),
        _ => return None,
    };
    let text = |name: &str| old[name].as_str().map(str::to_owned);
    let mode = text("file_permission").unwrap_or_else(|| "0644".to_owned());
    Some(File::found(text(path)?, None, Found { content: text("content"), mode }))
}
