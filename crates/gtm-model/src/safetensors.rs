//! Reading and writing safetensors files. The header is checked whole before a byte of a tensor is read.

use crate::kernel::{bf16_from_f32, f32_from_bf16};
use gtm_error::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Longest header taken, in bytes: the format's own bound.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes converted at a time.
const CHUNK: usize = 1 << 20;

/// How a tensor's elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// Single precision.
    F32,
    /// bfloat16.
    Bf16,
    /// Half precision; read only.
    F16,
}

impl Dtype {
    fn parse(name: &str) -> Option<Dtype> {
        Some(match name {
            "F32" => Dtype::F32,
            "BF16" => Dtype::Bf16,
            "F16" => Dtype::F16,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        if self == Dtype::F32 { 4 } else { 2 }
    }
}

/// A tensor in a file.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    dtype: Option<Dtype>,
    shape: Vec<usize>,
    from: u64,
    bytes: u64,
}

/// An open file, header read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    entries: Vec<Entry>,
    /// Where tensors begin.
    base: u64,
}

#[derive(Deserialize)]
struct RawEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

fn invalid(path: &Path, message: impl Into<String>) -> Error {
    Error::new(Code::ModelInvalid, message).in_file(path.display())
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, error.to_string()).in_file(path.display())
}

impl Reader {
    /// Opens a file and checks its header: lengths, shapes, offsets in order and without gaps, the file's size.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ModelInvalid`].
    pub fn open(path: &Path) -> Result<Reader> {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        let size = file.metadata().map_err(|e| unreadable(path, e))?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut length = [0; 8];
        file.read_exact(&mut length)
            .map_err(|_| invalid(path, "shorter than a header's length (8 bytes)"))?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER || length > size.saturating_sub(8) {
            return Err(invalid(
                path,
                format!("the header claims {length} bytes at byte 0 of a file of {size}"),
            ));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(|e| unreadable(path, e))?;
        let header: Map<String, Value> = serde_json::from_slice(&header)
            .map_err(|e| invalid(path, format!("the header, from byte 8, is not JSON: {e}")))?;
        let mut entries = Vec::with_capacity(header.len());
        for (name, value) in header {
            if name == "__metadata__" {
                continue;
            }
            let raw: RawEntry =
                serde_json::from_value(value).map_err(|e| invalid(path, format!("tensor `{name}`: {e}")))?;
            let [from, to] = raw.data_offsets;
            let dtype = Dtype::parse(&raw.dtype);
            let elements = raw.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            let wanted = match (elements, dtype) {
                (None, _) => None,
                (Some(n), Some(dtype)) => n.checked_mul(dtype.bytes()).map(|n| n as u64),
                (Some(_), None) => to.checked_sub(from),
            };
            if from > to || wanted != Some(to - from) {
                return Err(invalid(
                    path,
                    format!("tensor `{name}`: shape {:?} does not take bytes {from} to {to}", raw.shape),
                ));
            }
            entries.push(Entry { name, dtype, shape: raw.shape, from, bytes: to - from });
        }
        entries.sort_by_key(|e| (e.from, e.bytes));
        let mut end = 0;
        for entry in &entries {
            if entry.from != end {
                return Err(invalid(
                    path,
                    format!("tensor `{}` begins at {}, not at {end}", entry.name, entry.from),
                ));
            }
            end += entry.bytes;
        }
        let base = 8 + length;
        let whole = base.saturating_add(end);
        if whole != size {
            return Err(
                invalid(path, format!("the file has {size} bytes")).expected(format!("{whole} bytes"))
            );
        }
        Ok(Reader { path: path.to_owned(), file, entries, base })
    }

    /// Names and shapes, in the order of the file.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|e| (e.name.as_str(), e.shape.as_slice()))
    }

    /// Reads a tensor of exactly this shape into `out`, converted to single precision.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if it is not there, of another shape or of another kind of element.
    pub fn read(&mut self, name: &str, shape: &[usize], out: &mut [f32]) -> Result<()> {
        let Some(entry) = self.entries.iter().find(|e| e.name == name) else {
            return Err(invalid(&self.path, format!("no tensor `{name}`")));
        };
        if entry.shape != shape || shape.iter().product::<usize>() != out.len() {
            return Err(invalid(&self.path, format!("tensor `{name}` has shape {:?}", entry.shape))
                .expected(format!("{shape:?}")));
        }
        let Some(dtype) = entry.dtype else {
            return Err(invalid(&self.path, format!("tensor `{name}` is of another kind"))
                .expected("F32, BF16 or F16"));
        };
        let failed = |e| unreadable(&self.path, e);
        self.file.seek(SeekFrom::Start(self.base + entry.from)).map_err(failed)?;
        let mut bytes = vec![0; CHUNK.min(entry.bytes as usize)];
        for out in out.chunks_mut(CHUNK / dtype.bytes()) {
            let bytes = &mut bytes[..out.len() * dtype.bytes()];
            self.file.read_exact(bytes).map_err(failed)?;
            match dtype {
                Dtype::F32 => {
                    for (out, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                        *out = f32::from_le_bytes(*b);
                    }
                }
                Dtype::Bf16 => {
                    for (out, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                        *out = f32_from_bf16(u16::from_le_bytes(*b));
                    }
                }
                Dtype::F16 => {
                    for (out, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                        *out = f32_from_f16(u16::from_le_bytes(*b));
                    }
                }
            }
        }
        Ok(())
    }
}

fn f32_from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    match exponent {
        0 => {
            let value = fraction as f32 * 2.0f32.powi(-24);
            f32::from_bits(sign | value.to_bits())
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

/// A tensor to be written: name, shape, elements.
pub type Tensor<'a> = (&'a str, &'a [usize], &'a [f32]);

/// Writes a file with these tensors, in this order, and brings it to the disk. `metadata` are texts for readers.
///
/// # Errors
/// [`Code::StorageFailed`].
pub fn write(path: &Path, dtype: Dtype, metadata: &[(&str, &str)], tensors: &[Tensor<'_>]) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display());
    let dtype = if dtype == Dtype::F32 { Dtype::F32 } else { Dtype::Bf16 };
    let mut header = Map::new();
    header.insert(
        "__metadata__".into(),
        metadata.iter().map(|&(k, v)| (k.to_owned(), Value::from(v))).collect(),
    );
    let mut at = 0;
    for (name, shape, data) in tensors {
        let end = at + data.len() * dtype.bytes();
        let name_of_dtype = if dtype == Dtype::F32 { "F32" } else { "BF16" };
        header.insert(
            (*name).into(),
            json!({"dtype": name_of_dtype, "shape": shape, "data_offsets": [at, end]}),
        );
        at = end;
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = BufWriter::with_capacity(CHUNK, File::create(path).map_err(failed)?);
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
    file.write_all(header.as_bytes()).map_err(failed)?;
    for (_, _, data) in tensors {
        for &v in *data {
            match dtype {
                Dtype::F32 => file.write_all(&v.to_le_bytes()),
                Dtype::Bf16 | Dtype::F16 => file.write_all(&bf16_from_f32(v).to_le_bytes()),
            }
            .map_err(failed)?;
        }
    }
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dir: &Path) -> PathBuf {
        let path = dir.join("a.safetensors");
        let (a, b): (Vec<f32>, Vec<f32>) = ((0..6).map(|i| i as f32 - 2.5).collect(), vec![1.0e-3; 4]);
        write(&path, Dtype::F32, &[("format", "pt")], &[("a", &[2, 3], &a), ("b", &[4], &b)]).unwrap();
        path
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut reader = Reader::open(&sample(dir.path())).unwrap();
        let mut out = [0.0; 6];
        reader.read("a", &[2, 3], &mut out).unwrap();
        assert_eq!(out, [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]);
        assert!(reader.read("a", &[3, 2], &mut out).is_err());
        assert!(reader.read("c", &[6], &mut out).is_err());
    }

    #[test]
    fn bfloat16_rounds_to_nearest_even_and_half_precision_is_read() {
        for (value, bits) in
            [(1.0f32, 0x3f80), (1.003_906_3, 0x3f80), (1.011_718_8, 0x3f82), (f32::INFINITY, 0x7f80)]
        {
            assert_eq!(bf16_from_f32(value), bits, "{value}");
        }
        assert!(f32_from_bf16(bf16_from_f32(f32::NAN)).is_nan());
        for (bits, value) in
            [(0x3c00u16, 1.0f32), (0xc000, -2.0), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0)]
        {
            assert_eq!(f32_from_f16(bits), value);
        }
    }

    /// Every cut and every flipped bit of the header is either refused or leaves a file that is still whole.
    #[test]
    fn damaged_headers_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let whole = std::fs::read(sample(dir.path())).unwrap();
        let path = dir.path().join("b.safetensors");
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(Reader::open(&path).unwrap_err().code(), Code::ModelInvalid, "cut at {cut}");
        }
        for bit in 0..header * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(mut reader) = Reader::open(&path) {
                let shapes: Vec<_> = reader.tensors().map(|(n, s)| (n.to_owned(), s.to_vec())).collect();
                for (name, shape) in shapes {
                    let mut out = vec![0.0; shape.iter().product()];
                    let _ = reader.read(&name, &shape, &mut out);
                }
            }
        }
    }
}
