namespace Sagas.Services.Files;

/// <summary>Why a record cannot be read. The records after it can.</summary>
public enum RecordProblem
{
    /// <summary>It can be read.</summary>
    None,

    /// <summary>It is longer than <see cref="RecordReaderOptions.MaxRecordLength"/>.</summary>
    TooLong,

    /// <summary>A quoted field does not end before the file does, or before the record is too long. Only the record's first line
    /// is given up; the next line is read as a record again.</summary>
    QuoteNotClosed,

    /// <summary>Text follows the quote that closes a field. Only the record's first line is given up.</summary>
    TextAfterQuote,

    /// <summary>It has more than <see cref="RecordReaderOptions.MaxFields"/> fields.</summary>
    TooManyFields,

    /// <summary>Its bytes are no text in the file's encoding.</summary>
    InvalidText,
}
