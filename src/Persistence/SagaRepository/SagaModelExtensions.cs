using Microsoft.EntityFrameworkCore;

namespace Sagas.Persistence;

/// <summary>Adds the history of sagas to a model, and names its columns.</summary>
public static class SagaModelExtensions
{
    /// <summary>Adds <c>saga_transition</c>, the history of the sagas.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddSagaTransitionEntity(this ModelBuilder modelBuilder)
    {
        var transition = modelBuilder.Entity<SagaTransition>().ToTable("saga_transition");
        transition.HasKey(row => new { row.CorrelationId, row.Id });
        transition.Property(row => row.Id).UseIdentityAlwaysColumn();
        transition.Property(row => row.OccurredAt).HasDefaultValueSql("clock_timestamp()");
    }

    /// <summary>Names every column of the model in snake case, as the SQL that reads them does.</summary>
    /// <param name="modelBuilder">The model, after everything else was added to it.</param>
    public static void UseSnakeCaseColumns(this ModelBuilder modelBuilder)
    {
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
            property.SetColumnName(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
    }
}
