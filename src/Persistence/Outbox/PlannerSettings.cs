namespace Sagas.Persistence;

/// <summary>
/// Settings of Postgres's planner for statements that look up keys in tables which grow and shrink quickly: a plan is kept while
/// the table changes, and the statistics are those of a moment.
/// </summary>
public static class PlannerSettings
{
    /// <summary>
    /// A statement that has the ones after it, in the same transaction or batch, use indexes, and keep their plans.
    /// </summary>
    public const string UseIndexes =
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
        + "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";
}
