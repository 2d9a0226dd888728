using System.Globalization;

namespace Sagas.Benchmarks;

/// <summary>The processor time that the parts of a system have used, in all their processes.</summary>
/// <param name="Services">Processes of the services.</param>
/// <param name="Postgres">The server with its sessions and workers.</param>
/// <param name="RabbitMq">The broker.</param>
/// <param name="Simulators">The simulated third parties.</param>
internal sealed record ProcessorTimes(TimeSpan Services, TimeSpan Postgres, TimeSpan RabbitMq, TimeSpan Simulators)
{
    // Linux reports in hundredths of a second to programs, whatever the kernel counts in.
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(10);

    public TimeSpan Total => Services + Postgres + RabbitMq + Simulators;

    public static ProcessorTimes operator -(ProcessorTimes later, ProcessorTimes earlier) =>
        new(
            later.Services - earlier.Services,
            later.Postgres - earlier.Postgres,
            later.RabbitMq - earlier.RabbitMq,
            later.Simulators - earlier.Simulators
        );

    /// <summary>Reads them from <c>/proc</c>, of this process's descendants.</summary>
    public static ProcessorTimes Read()
    {
        var processes = Directory
            .EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? Read(id) : null)
            .OfType<Process>()
            .ToDictionary(process => process.Id);
        var mine = processes.Values.Where(process => DescendsFromThis(process, processes)).ToArray();
        return new(Of("Sagas.Host.dll"), Of("postgres"), Of("beam.smp"), Of("Sagas.Simulators.dll"));

        TimeSpan Of(string program) =>
            _tick
            * mine.Where(process => process.Command.Contains(program, StringComparison.Ordinal)).Sum(process => process.Ticks);
    }

    private static bool DescendsFromThis(Process process, Dictionary<int, Process> all)
    {
        for (var current = process; current is not null; current = all.GetValueOrDefault(current.Parent))
        {
            if (current.Parent == Environment.ProcessId)
                return true;
        }

        return false;
    }

    private static Process? Read(int id)
    {
        try
        {
            // The second field is the program's name in parentheses, which may contain anything.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            // Its own time and that of its children that have ended, by themselves and in the kernel.
            var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
            var arguments = File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
            var program = string.Join(' ', arguments.Take(2));
            return new(id, int.Parse(fields[1], CultureInfo.InvariantCulture), program, ticks);
        }
        // It has ended meanwhile.
        catch (IOException)
        {
            return null;
        }
    }

    private sealed record Process(int Id, int Parent, string Command, long Ticks);
}
