using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>How reading a file ended.</summary>
/// <param name="State"><see cref="FileState.Completed"/>, <see cref="FileState.Failed"/> or <see
/// cref="FileState.Invalid"/>.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
public readonly record struct FileOutcome(FileState State, string? Reason)
{
    /// <summary>Every row is processed or rejected.</summary>
    public static FileOutcome Completed { get; } = new(FileState.Completed, null);

    /// <summary>Reading stopped before the end.</summary>
    public static FileOutcome Failed(string reason) => new(FileState.Failed, reason);

    /// <summary>Reading stopped because of a defect of the program.</summary>
    internal static FileOutcome Defect(Exception exception) =>
        Failed($"The program has a defect with this file; the log of this moment has the details ({exception.GetType().Name}).");

    /// <summary>The file has no usable header.</summary>
    public static FileOutcome Invalid(string reason) => new(FileState.Invalid, reason);
}
