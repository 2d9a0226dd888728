using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>Processes the rows of one kind of file.</summary>
public interface IRowHandler
{
    /// <summary>What the rows are, such as <c>customers</c>: in the table <c>file</c> and in the HTTP route.</summary>
    string Kind { get; }

    /// <summary>Where files of this kind come from.</summary>
    FileIntakeOptions Options { get; }

    /// <summary>How many files of this kind a process reads in parallel.</summary>
    int MaxConcurrentFiles { get; }

    /// <summary>
    /// Processes a file from where it was left to its end. Each transaction saves the progress together with the rows, by
    /// <see cref="FileStore.SaveProgress"/>.
    /// </summary>
    /// <param name="file">The file, whose lock the caller holds.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Called after each commit; null: not reported.</param>
    /// <param name="cancellationToken">Cancels; what was committed stays, and the next call continues there.</param>
    /// <exception cref="InvalidDataException">The file is damaged; the rows before the damage are processed.</exception>
    /// <exception cref="FileTakenOverException">Another process reads the file now.</exception>
    Task<FileOutcome> ProcessAsync(
        IncomingFile file,
        string path,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    );
}
