//! A code as a picture to scan.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use qrcode::render::svg;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};

/// Pixels of one square.
const SQUARE: usize = 8;
/// Squares of white around it, as the standard asks.
const MARGIN: usize = 4;

/// The picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The text is too long for a QR code.
    #[error("the text does not fit into a QR code")]
    TooLong(#[from] QrError),
    /// It could not be written as PNG.
    #[error("the picture could not be written")]
    Png(#[from] png::EncodingError),
}

/// The code as PNG, black on white, one bit for each pixel.
pub fn png(text: &str) -> Result<Vec<u8>, PictureError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = (width + 2 * MARGIN) * SQUARE;
    let bytes_per_row = side.div_ceil(8);
    let mut pixels = vec![0xff_u8; bytes_per_row * side];
    for (n, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let (left, top) = ((n % width + MARGIN) * SQUARE, (n / width + MARGIN) * SQUARE);
        // A square is eight pixels wide and begins at a whole byte.
        for row in top..top + SQUARE {
            pixels[row * bytes_per_row + left / 8] = 0;
        }
    }
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(picture)
}

/// The code as PNG in an address of its own, as pages show it.
pub fn data_uri(text: &str) -> Result<String, PictureError> {
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png(text)?)))
}

/// The code as SVG.
pub fn svg(text: &str) -> Result<String, PictureError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(256, 256).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_black_on_white_with_a_margin() {
        let picture = png("2@abc,def,ghi").unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        let (row, side) = (info.line_size, info.width as usize);
        assert!(pixels[..row * SQUARE * MARGIN].iter().all(|b| *b == 0xff), "white above");
        let first = &pixels[row * SQUARE * MARGIN..][..row];
        assert_eq!(first[MARGIN..MARGIN + 7], [0; 7], "the corner of the code");
        assert_eq!(side % SQUARE, 0);
        assert!(svg("2@abc").unwrap().contains("<svg"));
    }

    #[test]
    fn a_text_beyond_the_largest_code_is_an_error() {
        assert!(png(&"x".repeat(5_000)).is_err());
    }
}
