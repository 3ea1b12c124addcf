//! Customers' profile pictures: a pattern of their own, drawn from their id, as a small PNG.

use sha2::{Digest, Sha256};

/// Cells of the pattern in each direction; the left half is mirrored.
const CELLS: usize = 5;
/// Pixels of a cell.
const CELL: usize = 16;
/// Cells plus a margin of half a cell on each side.
const SIZE: usize = CELLS * CELL + CELL;
const PAPER: [u8; 3] = [0xF1, 0xEF, 0xEA];

/// The picture of a customer; the same id gives the same bytes.
pub(super) fn draw(id: &str) -> Result<Vec<u8>, png::EncodingError> {
    let digest = Sha256::digest(id);
    let ink = [digest[0] / 2 + 32, digest[1] / 2 + 32, digest[2] / 2 + 32];
    let is_set = |row: usize, column: usize| {
        let mirrored = column.min(CELLS - 1 - column);
        digest[3 + row * 3 + mirrored] % 2 == 0
    };
    let mut pixels = Vec::with_capacity(SIZE * SIZE * 3);
    for y in 0..SIZE {
        for x in 0..SIZE {
            let cell = |at: usize| at.checked_sub(CELL / 2).map(|at| at / CELL).filter(|cell| *cell < CELLS);
            let inked = matches!((cell(y), cell(x)), (Some(row), Some(column)) if is_set(row, column));
            pixels.extend(if inked { ink } else { PAPER });
        }
    }
    let mut file = Vec::new();
    let side = u32::try_from(SIZE).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn everyone_has_a_face_of_their_own() {
        let (one, other) = (draw("customer-1").unwrap(), draw("customer-2").unwrap());
        assert!(one.starts_with(b"\x89PNG"));
        assert_eq!(one, draw("customer-1").unwrap());
        assert_ne!(one, other);
    }
}
