namespace Sagas.FileIntake.Storage;

/// <summary>The state of a file; the table has it in lower case.</summary>
public enum FileState
{
    /// <summary>Accepted; reading has not started.</summary>
    Pending,

    /// <summary>Being read, or its reader was killed; the next reader continues behind the last committed row.</summary>
    Running,

    /// <summary>Every row is processed or rejected.</summary>
    Completed,

    /// <summary>Reading stopped before the end of the file. When the file is submitted again it continues there.</summary>
    Failed,

    /// <summary>The file has no usable header; none of its rows was processed.</summary>
    Invalid,
}
