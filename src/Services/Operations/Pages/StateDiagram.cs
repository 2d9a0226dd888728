using MassTransit;
using MassTransit.SagaStateMachine;

namespace Sagas.Services.Operations.Pages;

/// <summary>A way from a state to another.</summary>
/// <param name="From">The state.</param>
/// <param name="To">The other.</param>
/// <param name="Event">The event that leads there.</param>
public sealed record StateEdge(string From, string To, string Event);

/// <summary>The ways between the states of a machine, read from the machine itself: what it does is what is drawn.</summary>
/// <remarks>
/// Not <c>GetGraph</c>, whose events are nodes that states share: it would draw ways that are in no state's behaviour.
/// </remarks>
internal sealed class StateDiagram : StateMachineVisitor
{
    private readonly HashSet<StateEdge> _edges = [];
    private string _state = "";
    private string _event = "";

    /// <summary>Reads a machine.</summary>
    public static IReadOnlyList<StateEdge> Of<TSaga>(MassTransitStateMachine<TSaga> machine)
        where TSaga : class, SagaStateMachineInstance
    {
        var diagram = new StateDiagram();
        machine.Accept(diagram);
        return [.. diagram._edges];
    }

    public void Visit(State state, Action<State> next)
    {
        _state = state.Name;
        next(state);
    }

    public void Visit(Event @event, Action<Event> next)
    {
        _event = @event.Name;
        next(@event);
    }

    public void Visit<TMessage>(Event<TMessage> @event, Action<Event<TMessage>> next)
        where TMessage : class
    {
        _event = @event.Name;
        next(@event);
    }

    public void Visit(IStateMachineActivity activity) => Visit(activity, _ => { });

    public void Visit<TInstance>(IBehavior<TInstance> behavior)
        where TInstance : class, SagaStateMachineInstance => Visit(behavior, _ => { });

    public void Visit<TInstance>(IBehavior<TInstance> behavior, Action<IBehavior<TInstance>> next)
        where TInstance : class, SagaStateMachineInstance => next(behavior);

    public void Visit<TInstance, TMessage>(IBehavior<TInstance, TMessage> behavior)
        where TInstance : class, SagaStateMachineInstance
        where TMessage : class => Visit(behavior, _ => { });

    public void Visit<TInstance, TMessage>(IBehavior<TInstance, TMessage> behavior, Action<IBehavior<TInstance, TMessage>> next)
        where TInstance : class, SagaStateMachineInstance
        where TMessage : class => next(behavior);

    public void Visit(IStateMachineActivity activity, Action<IStateMachineActivity> next)
    {
        var type = activity.GetType();
        if (
            type.IsGenericType
            && type.GetGenericTypeDefinition() == typeof(TransitionActivity<>)
            && type.GetProperty(nameof(TransitionActivity<>.ToState))?.GetValue(activity) is State to
        )
            _edges.Add(new(_state, to.Name, _event));
        next(activity);
    }
}
