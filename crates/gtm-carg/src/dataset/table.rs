//! Samples as files: JSON Lines and Parquet.

use super::config::Format;
use crate::samples::Sample;
use gtm_error::{Code, Error, Result};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// Level of compression: the best that costs less time than making the sessions.
pub(super) const LEVEL: i32 = 3;

/// The columns, which are the members of [`Sample`] in JSON Lines.
const SCHEMA: &str = "message sample {
    REQUIRED BYTE_ARRAY id (UTF8);
    REQUIRED BYTE_ARRAY task (UTF8);
    REQUIRED BYTE_ARRAY split (UTF8);
    REQUIRED BYTE_ARRAY domain (UTF8);
    REQUIRED BYTE_ARRAY prompt (UTF8);
    REQUIRED BYTE_ARRAY completion (UTF8);
}";

impl Format {
    /// What the files end with.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl.zst",
            Format::Parquet => "parquet",
        }
    }

    /// The bytes of a file with these samples.
    ///
    /// # Errors
    /// [`Code::Internal`], which does not happen for samples that fit in memory.
    pub(super) fn write(self, samples: &[&Sample]) -> Result<Vec<u8>> {
        match self {
            Format::Jsonl => jsonl(samples).map_err(|e| Error::new(Code::Internal, e.to_string())),
            Format::Parquet => parquet(samples).map_err(|e| Error::new(Code::Internal, e.to_string())),
        }
    }
}

fn jsonl(samples: &[&Sample]) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for sample in samples {
        serde_json::to_writer(&mut lines, sample)?;
        lines.push(b'\n');
    }
    zstd::encode_all(lines.as_slice(), LEVEL)
}

fn parquet(samples: &[&Sample]) -> std::result::Result<Vec<u8>, parquet::errors::ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_created_by(concat!("gtm ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut out = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut out, Arc::new(parse_message_type(SCHEMA)?), Arc::new(properties))?;
    let columns: [fn(&Sample) -> &str; 6] =
        [|s| &s.id, |s| s.task.name(), |s| s.split.name(), |s| &s.domain, |s| &s.prompt, |s| &s.completion];
    let mut rows = file.next_row_group()?;
    for column in columns {
        let values: Vec<ByteArray> = samples.iter().map(|sample| column(sample).into()).collect();
        if let Some(mut writer) = rows.next_column()? {
            writer.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            writer.close()?;
        }
    }
    rows.close()?;
    file.close()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Split;
    use crate::samples::Task;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    #[test]
    fn parquet_gives_back_what_it_was_given() {
        let samples: Vec<Sample> = (0..300)
            .map(|n| Sample {
                id: format!("{n}:0"),
                task: Task::Read,
                split: Split::Train,
                domain: "d".into(),
                prompt: "ü\n".repeat(n),
                completion: String::new(),
            })
            .collect();
        let bytes = parquet(&samples.iter().collect::<Vec<_>>()).expect("a file");
        let mut file = tempfile::tempfile().expect("a file");
        std::io::Write::write_all(&mut file, &bytes).expect("room");
        let reader = SerializedFileReader::new(file).expect("it is read");
        let mut seen = 0;
        for (row, sample) in reader.get_row_iter(None).expect("rows").zip(&samples) {
            let row = row.expect("a row");
            assert_eq!(row.get_string(0).expect("text"), &sample.id);
            assert_eq!(row.get_string(1).expect("text"), sample.task.name());
            assert_eq!(row.get_string(4).expect("text"), &sample.prompt);
            seen += 1;
        }
        assert_eq!(seen, samples.len());
    }
}
