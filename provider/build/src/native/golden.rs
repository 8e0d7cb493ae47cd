//! Same inputs, same bytes: whatever the machine's umask, locale, time zone and processors, and in whatever order the
//! files were written.

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, symlink},
    path::Path,
    process::Command,
};

use ecr_registry::Digest;

use super::tests::{built, config_of};
use crate::recipe::{Compression, FilesRecipe, How, LayerSource, Recipe};

/// These change with nothing but the format of images.
const GOLDEN: &str = "\
gzip tar sha256:de6e804eb3d1f7f132a6eb570dc0b6bf9af48903e29702eee48020364abc8d95
gzip layer sha256:e634dea0d970a0d5dc2577a0f8370c8a388f86d46f3d63b1d7292777f7705087
gzip config sha256:16562b9e33d4aeeb0f3fa020008a85540f990cb74f0242d3147d00d9a03aa063
gzip manifest sha256:a94645568e0c1a7b74bc82e2dfb0c15670cd2b75caba9c437f6563a88ae590ce
zstd tar sha256:de6e804eb3d1f7f132a6eb570dc0b6bf9af48903e29702eee48020364abc8d95
zstd layer sha256:c1c7074849a911025dd31ac3967a69ddf530616f3d1484676203e66cb2b77cc9
zstd config sha256:16562b9e33d4aeeb0f3fa020008a85540f990cb74f0242d3147d00d9a03aa063
zstd manifest sha256:a801891df0e18b93b3db9688f3bc010acaaa74b4fd39985cfe62adaf0004a64c
";

/// Says in which order the files are written.
const ORDER: &str = "GOLDEN_ORDER";

/// Path and size in bytes; a path that ends with `*` is a program.
const FILES: [(&str, usize); 9] = [
    ("bin/web*", 3 << 20),
    ("bin/sub/data", 6 << 20),
    ("ü/ß.txt", 40_000),
    ("a/b", 1),
    ("a-b", 2),
    ("a.b/c", 0),
    ("B", 513),
    ("b", 512),
    ("with space\nand line", 77),
];

/// Text that can be made smaller, but not by much, the same each time.
fn text(name: &str, size: usize) -> Vec<u8> {
    let mut state = name.len() as u64 + 1;
    let mut text = Vec::with_capacity(size + 16);
    while text.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend(format!("{state:016x}").into_bytes());
    }
    text.truncate(size);
    text
}

fn write(root: &Path, name: &str, size: usize) {
    let path = root.join(name.trim_end_matches('*'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mode = if name.ends_with('*') { 0o777 } else { 0o666 };
    let mut file = fs::File::options().create_new(true).write(true).mode(mode).open(path).unwrap();
    file.write_all(&text(name, size)).unwrap();
}

fn lay_out(root: &Path, order: &str) {
    let mut files = FILES;
    match order {
        "backward" => files.reverse(),
        "shuffled" => files.sort_by_key(|(name, _)| Digest::of(name.as_bytes())),
        _ => {}
    }
    if order == "shuffled" {
        symlink("bin/web", root.join("link")).unwrap();
    }
    for (name, size) in files {
        write(root, name, size);
    }
    fs::create_dir(root.join("empty")).unwrap();
    if order != "shuffled" {
        symlink("bin/web", root.join("link")).unwrap();
    }
}

/// All that is made of the files, written in this order.
async fn made(order: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), order);
    let layer = LayerSource { source: root.path().into(), destination: "/srv".into(), mode: None };
    let files = FilesRecipe { layers: vec![layer], ..FilesRecipe::default() };
    let mut made = String::new();
    for compression in [Compression::Gzip, Compression::Zstd] {
        let recipe = Recipe { compression, ..Recipe::of(How::Files(files.clone())) };
        let image = built(&recipe).await.unwrap();
        let digests = [
            ("tar", config_of(&image).rootfs.diff_ids[0]),
            ("layer", image.layers[0].descriptor.digest),
            ("config", image.config.descriptor.digest),
            ("manifest", image.manifest.digest),
        ];
        made.extend(digests.map(|(what, digest)| format!("{compression} {what} {digest}\n")));
    }
    made
}

#[tokio::test]
async fn the_same_bytes_here() {
    assert_eq!(made(&std::env::var(ORDER).unwrap_or_default()).await, GOLDEN);
}

/// The first processor that may be used.
fn one_processor() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    list.trim().split([',', '-']).next().unwrap().to_owned()
}

#[test]
fn the_same_bytes_elsewhere() {
    let one = one_processor();
    let pinned = ["taskset", "--cpu-list", &one];
    let surroundings: [(&str, &str, &str, &str, &[&str]); 4] = [
        ("077", "C", "UTC", "backward", &[]),
        ("002", "tr_TR.UTF-8", "Pacific/Kiritimati", "shuffled", &pinned),
        ("027", "C.UTF-8", "America/St_Johns", "", &pinned),
        ("000", "de_DE.ISO-8859-1", "Asia/Kathmandu", "shuffled", &[]),
    ];
    for (umask, locale, zone, order, before) in surroundings {
        let mut child = Command::new("sh");
        child.args(["-c", "umask \"$0\" && exec \"$@\"", umask]).args(before);
        child.arg(std::env::current_exe().unwrap());
        child.args(["--exact", "native::golden::the_same_bytes_here"]);
        child.env("LC_ALL", locale).env("TZ", zone).env(ORDER, order);
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "umask {umask}, {locale}: {text}");
    }
}
