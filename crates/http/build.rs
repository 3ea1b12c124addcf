//! Makes sure that there is a page to embed: where the web inbox was not built, one that says how to.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

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
