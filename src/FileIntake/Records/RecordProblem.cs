namespace Sagas.FileIntake.Records;

/// <summary>Why a record cannot be read. The records after it can.</summary>
public enum RecordProblem
{
    /// <summary>The record can be read.</summary>
    None,

    /// <summary>It is longer than <see cref="RecordReaderOptions.MaxRecordBytes"/>.</summary>
    TooLong,

    /// <summary>A quote is not closed before the end of the file, or before the record is too long. Only the record's first
    /// line is skipped; the next line is read as a record again.</summary>
    QuoteNotClosed,

    /// <summary>Text follows the quote that closes a field. Only the record's first line is skipped.</summary>
    TextAfterQuote,

    /// <summary>It has more than <see cref="RecordReaderOptions.MaxFields"/> fields.</summary>
    TooManyFields,

    /// <summary>Its bytes are not valid text in the file's encoding.</summary>
    InvalidText,

    /// <summary>Outside quotes it has a line break of another kind than the file's, so it may be two records.</summary>
    StrayLineBreak,
}
