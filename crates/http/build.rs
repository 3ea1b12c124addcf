//! What is embedded: a page (where the web inbox was not built, one that says how to), and the description of the API, packed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

const STUB: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Frontdesk</title></head>
<body>
<h1>The web inbox is not part of this build</h1>
<p>Build it with <code>scripts/build-web</code>, then build the program again.
The <a href=\"/api/docs\">API</a> works without it.</p>
</body>
</html>
";

fn main() -> io::Result<()> {
    embed_page()?;
    pack_description()
}

fn pack_description() -> io::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let mut packed =
        GzEncoder::new(File::create(Path::new(&folder).join("openapi.json.gz"))?, Compression::best());
    io::copy(&mut File::open(&file)?, &mut packed)?;
    packed.finish()?;
    println!("cargo::rerun-if-changed={}", file.display());
    Ok(())
}

fn embed_page() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    let page = folder.join("index.html");
    if !page.exists() {
        fs::create_dir_all(&folder)?;
        fs::write(&page, STUB)?;
        // Older than any source of the real page, so that scripts/build-web replaces it.
        fs::File::options().write(true).open(&page)?.set_modified(SystemTime::UNIX_EPOCH)?;
    }
    println!("cargo::rerun-if-changed={}", folder.display());
    Ok(())
}
