using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;

namespace Sagas.Persistence;

/// <summary>Runs work on a context whose provider may be configured to repeat what failed.</summary>
internal static class DbContextExecution
{
    /// <summary>
    /// Runs work once, with transactions of its own. With <c>EnableRetryOnFailure</c> EF Core allows these only in work that it
    /// may repeat. A consumer must not be repeated there: the bus does that, by its own rules.
    /// </summary>
    /// <param name="dbContext">The context.</param>
    /// <param name="work">The work.</param>
    public static async Task RunOnceAsync(this DbContext dbContext, Func<Task> work)
    {
        var strategy = dbContext.Database.CreateExecutionStrategy();
        if (!strategy.RetriesOnFailure)
        {
            await work();
            return;
        }

        var failure = await strategy.ExecuteAsync(work, CatchAsync);
        failure?.Throw();
    }

    private static async Task<ExceptionDispatchInfo?> CatchAsync(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (Exception exception)
        {
            return ExceptionDispatchInfo.Capture(exception);
        }
    }
}
