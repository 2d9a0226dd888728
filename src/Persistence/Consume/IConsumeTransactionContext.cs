namespace Sagas.Persistence;

/// <summary>Gives code inside a consume the transaction that it is part of.</summary>
internal interface IConsumeTransactionContext
{
    IConsumeTransaction Transaction { get; }

    /// <summary>The consumer writes only with the commit, where it may.</summary>
    bool AddsToCommit { get; set; }
}
