using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Creates the statement that loads a saga and locks its row until the transaction ends.</summary>
public interface ILockStatementProvider
{
    /// <summary>A query of all columns of the saga whose key is <c>{0}</c>, locked.</summary>
    /// <typeparam name="TSaga">The saga's state.</typeparam>
    /// <param name="context">The context that maps it.</param>
    string GetRowLockStatement<TSaga>(DbContext context)
        where TSaga : class, ISaga;
}
