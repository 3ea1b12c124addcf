//! A whole backup in one file: a tar with the database and the kept files, readable with any tar program.
//!
//! ```text
//! frontdesk.db      the database as it was at one moment
//! media/…           every kept file, as in the data folder
//! ```
//! The secret key is not among them: who has both can use the credentials of every connected account.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Component, Path};

use anyhow::{Context, bail};
use tar::{Archive, Builder, EntryType, Header, HeaderMode};

/// The database within the archive.
pub const DATABASE: &str = "frontdesk.db";
/// The folder of kept files, within the archive and within the data folder.
pub const MEDIA: &str = frontdesk_engine::media::MEDIA_FOLDER;

/// Writes an archive of the database file and the media folder (which may not exist) into `to`.
pub fn write(to: File, database: &Path, media: &Path) -> anyhow::Result<()> {
    let mut tar = Builder::new(std::io::BufWriter::new(to));
    tar.mode(HeaderMode::Deterministic);
    tar.append_path_with_name(database, DATABASE).context("the database could not be added")?;
    if media.is_dir() {
        append_folder(&mut tar, media, Path::new(MEDIA))?;
    }
    let file = tar.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().context("the backup could not be brought to disk")
}

/// Kept files are written once and never changed; one that retention deletes meanwhile is left out.
fn append_folder<W: std::io::Write>(tar: &mut Builder<W>, folder: &Path, name: &Path) -> anyhow::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            append_folder(tar, &path, &name)?;
            continue;
        }
        if !kind.is_file() {
            continue;
        }
        match File::open(&path) {
            Ok(file) => append_file(tar, &file, &name)
                .with_context(|| format!("{} could not be added", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }
    Ok(())
}

fn append_file<W: std::io::Write>(tar: &mut Builder<W>, file: &File, name: &Path) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&metadata, HeaderMode::Deterministic);
    // As many bytes as the header says, should the file grow meanwhile.
    tar.append_data(&mut header, name, file.take(metadata.len()))
}

/// True when a file is an archive of ours rather than a database file.
pub fn is_archive(file: &mut File) -> std::io::Result<bool> {
    // A tar has its magic word at byte 257.
    let mut start = Vec::new();
    file.take(512).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start.get(257..262) == Some(b"ustar"))
}

/// Unpacks an archive into `folder`. Whatever else than the database and kept files is in it is refused.
pub fn unpack(from: File, folder: &Path) -> anyhow::Result<()> {
    let mut archive = Archive::new(std::io::BufReader::new(from));
    archive.set_preserve_permissions(false);
    for entry in archive.entries()? {
        let mut entry = entry.context("the backup is cut short or damaged")?;
        let path = entry.path()?.into_owned();
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let is_ours = path == Path::new(DATABASE) || path.starts_with(MEDIA);
        if !is_plain || !is_ours || entry.header().entry_type() != EntryType::Regular {
            bail!("the backup holds {}, which no backup of Frontdesk does", path.display());
        }
        let unpacked = entry.unpack_in(folder);
        unpacked.with_context(|| format!("{} could not be unpacked", path.display()))?;
    }
    if !folder.join(DATABASE).is_file() {
        bail!("the backup holds no database");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("live.db"), "rows").unwrap();
        std::fs::create_dir_all(at("kept/ab")).unwrap();
        let long = "x".repeat(180);
        std::fs::write(at("kept/ab").join(&long), "voice").unwrap();
        write(File::create(at("all.tar")).unwrap(), &at("live.db"), &at("kept")).unwrap();

        let mut file = File::open(at("all.tar")).unwrap();
        assert!(is_archive(&mut file).unwrap());
        std::fs::create_dir(at("out")).unwrap();
        unpack(file, &at("out")).unwrap();
        assert_eq!(std::fs::read_to_string(at("out/frontdesk.db")).unwrap(), "rows");
        assert_eq!(std::fs::read_to_string(at("out/media/ab").join(long)).unwrap(), "voice");
        assert!(!is_archive(&mut File::open(at("live.db")).unwrap()).unwrap());
    }

    #[test]
    fn an_archive_that_would_write_elsewhere_is_refused() {
        for name in ["../outside", "secret.key", "media/../../outside"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("evil.tar");
            let mut tar = Builder::new(File::create(&path).unwrap());
            let mut header = Header::new_gnu();
            header.set_size(1);
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, &b"x"[..]).unwrap();
            tar.into_inner().unwrap();
            std::fs::create_dir(folder.path().join("out")).unwrap();
            let refused = unpack(File::open(&path).unwrap(), &folder.path().join("out"));
            assert!(refused.is_err(), "{name}");
            assert!(!folder.path().join("outside").exists());
        }
    }
}
